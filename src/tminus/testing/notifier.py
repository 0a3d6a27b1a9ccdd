"""A notifier that keeps what it is given, or fails as it was told to."""

from collections.abc import Sequence

from tminus.domain.message import Message
from tminus.errors import TminusError
from tminus.testing.fate import Fate


class FakeNotifier:
    """See `control.ports.Notifier`."""

    def __init__(self, fate: Fate | None = None) -> None:
        self._fate = fate or Fate()
        self.taken: list[Message] = []
        self.errors: list[TminusError] = []
        """What goes wrong, one error for each try."""

    @property
    def subjects(self) -> Sequence[str]:
        """Of what was taken, in order."""
        return [message.subject for message in self.taken]

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(message)
        self._fate.act(f"send {message.key}")
        return f"taken as number {len(self.taken)}"
