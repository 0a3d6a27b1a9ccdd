"""The target of a launch that has none: it refuses every act in words, and sees no traffic.

A launch may be counted down before anybody has told tminus where its service runs. Nothing that would change the
service may look as if it were done.
"""

from collections.abc import Sequence

from tminus.control.ports import Json, SideStatus
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import RolloutError, UnreachableError

LACKS = "the plan names no target: the launch can only count down to T-0, not roll a release out"
"""What such a launch lacks to go."""
_HINT = "name a `target` in the plan, or do it by hand"


class AbsentTarget:
    """In the place of `Target`, `Traffic`, `Database`, `Commands`, `Smoke` and `Prober`."""

    async def prepare(self, digest: str) -> Json:
        """See `Target.prepare`."""
        raise _refused(f"{digest} cannot be prepared")

    async def start(self, side: Side, digest: str) -> SideStatus:
        """See `Target.start`."""
        raise _refused(f"{digest} cannot be started on {side}")

    async def set_weight(self, percent: int) -> int:
        """See `Target.set_weight`."""
        raise _refused(f"green cannot be given {percent} %")

    async def status(self, side: Side) -> SideStatus:
        """See `Target.status`."""
        raise UnreachableError(f"{side} cannot be seen: {LACKS}", hint=_HINT)

    async def stop(self, side: Side, drain_seconds: float) -> int:
        """See `Target.stop`."""
        raise _refused(f"{side} cannot be stopped within {drain_seconds:g} s")

    def private_url(self, side: Side) -> str:
        """See `Target.private_url`."""
        raise _refused(f"{side} has no address")

    def by_hand(self) -> tuple[str, ...]:
        """See `Target.by_hand`: nothing leads back where nothing was done."""
        return ()

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`: none, for nobody logs any; `blindness` says so."""
        del after
        return []

    def lost(self) -> int:
        """See `Traffic.lost`."""
        return 0

    def received(self) -> int:
        """See `Traffic.received`."""
        return 0

    def blindness(self) -> str:
        """See `Traffic.blindness`."""
        return LACKS

    def refused(self) -> int:
        """See `Traffic.refused`."""
        return 0

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        raise _refused(f"a weight of {change.percent} % cannot be noted")

    async def back_up(self, name: str) -> Json:
        """See `Database.back_up`."""
        raise _refused(f"the backup {name} cannot be made")

    async def migrate(self, digest: str) -> Json:
        """See `Database.migrate`."""
        raise _refused(f"the schema cannot be brought to {digest}")

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """See `Commands.run`."""
        raise _refused(f"{name or ' '.join(command)} of {digest} cannot be run")

    async def settle(self, name: str) -> None:
        """See `Commands.settle`: nothing was begun."""

    async def failures(self, url: str) -> list[str]:
        """See `Smoke.failures`."""
        raise _refused(f"{url} cannot be smoke-tested")

    async def answers(self) -> bool:
        """See `Prober.answers`: what is not known to answer does not."""
        return False


def _refused(what: str) -> RolloutError:
    return RolloutError(f"{what}: {LACKS}", hint=_HINT)
