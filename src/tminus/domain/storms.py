"""A client that tries again and again makes one fault look like many.

Tests that take requests for independent would see evidence in a storm of retries. So of a client's bad answers within
one second only the first counts. Leaving some out can only take from the evidence, so what a test promises of false
alarms holds. One address alone on green may be a load test, or a proxy of many users: all of its requests count.
"""

from dataclasses import dataclass, field

CROWD = 2
"""From how many clients on green in the second before each of them is taken for one user."""


@dataclass(slots=True)
class Storms:
    """Which of green's requests count, by who made them and when."""

    _before: int = 0
    """How many clients there were in the second before."""
    _clients: set[str] = field(default_factory=set)
    _met: set[str] = field(default_factory=set)
    """Those of this second who have met a bad answer."""

    def counts(self, client: str, *, bad: bool) -> bool:
        """Whether this request is evidence."""
        self._clients.add(client)
        if not bad:
            return True
        again = client in self._met
        self._met.add(client)
        return not again or self._before < CROWD

    def tick(self) -> None:
        """A second has ended."""
        self._before = len(self._clients)
        self._clients.clear()
        self._met.clear()
