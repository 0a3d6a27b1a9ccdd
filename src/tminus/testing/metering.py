"""A Prometheus whose answers are told beforehand."""

from collections.abc import Sequence

from tminus.domain.measurement import Reading
from tminus.errors import ProbeError


class FakeMeter:
    """What each query gives, one answer after the other; the last of them from then on."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Reading | ProbeError]] = {}
        """By query; one that is not told gives nothing."""
        self.asked: list[tuple[str, str]] = []

    def tell(self, query: str, answers: Sequence[float | Reading | ProbeError]) -> None:
        """From now on a query gives these."""
        self.answers[query] = [
            one if isinstance(one, Reading | ProbeError) else Reading((one,)) for one in answers
        ]

    async def read(self, system: str, query: str) -> Reading:
        """See `Meter.read`."""
        self.asked.append((system, query))
        waiting = self.answers.get(query) or [Reading(())]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, ProbeError):
            raise answer
        return answer
