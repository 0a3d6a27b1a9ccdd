"""Marked requests: sent to the service as any user would, and looked for where its lines arrive.

The mark stands in the address (`?tminus=MARK`) and in the header `X-Request-Id`: whichever of the two the service
writes into its log is found.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tminus.aggregators.lines import Aggregator, Line, Wanted
from tminus.errors import InconclusiveError
from tminus.http import connect

LOOK_SECONDS, LATER_SECONDS = 0.5, 5.0
"""From one look for the marks to the next, at first and at the most; the longer they are out, the rarer are looks."""
NEAR_SECONDS = 300.0
"""How far before the sending marks are looked for; on the last look a day back, for clocks that are off."""
LONGEST_SECONDS = 90.0
"""How long the marks are waited for at most, whatever lag is allowed: a look has to end."""
PATIENCE = 1.5
"""How many times the lag that is allowed they are waited for, so that a little more is seen as that."""
AHEAD_SECONDS = 86_400.0
"""How far ahead of ours the clock of whoever writes lines may be for them to be found at all."""
_GOOD = 400


@dataclass(frozen=True, slots=True)
class Trail:
    """What became of the marks."""

    common: str
    """What all of them begin with."""
    sent: Mapping[str, float]
    """When each was sent."""
    lags: Mapping[str, float]
    """After how many seconds each was found."""
    lines: Sequence[Line]
    """Those that hold one."""
    lost: str
    """What is missing of the answer in which they were looked for."""
    waited: float
    """Seconds since the first was sent."""

    @property
    def missing(self) -> int:
        """How many were not found."""
        return len(self.sent) - len(self.lags)

    @property
    def twice(self) -> int:
        """How often the same line about one of them arrived at most."""
        same = Counter(
            (line.text, line.written, mark) for line in self.lines for mark in self.sent if _holds(line, mark)
        )
        return max(same.values(), default=0)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks the service, and where."""

    site: str
    path: str
    count: int
    now: Callable[[], float]

    async def send(self, common: str) -> dict[str, float]:
        """Send so many requests; when each was sent.

        Raises `InconclusiveError` when one is not answered well, since its line may be about something else, and
        `UnreachableError` when nobody answers.
        """
        sent: dict[str, float] = {}
        async with connect(self.site) as http:
            for number in range(self.count):
                mark = f"{common}n{number:03}"
                marked = f"{self.path}{'&' if '?' in self.path else '?'}tminus={mark}"
                sent[mark] = self.now()
                reply = await http.ask("GET", marked, headers={"X-Request-Id": mark})
                if reply.status >= _GOOD:
                    raise InconclusiveError(
                        f"{self.path} answers {reply.status}, so no marked request was served",
                        hint="write a path that the service answers well as `path` under `with`",
                    )
        return sent


async def followed(aggregator: Aggregator, asked: Wanted, sender: Sender, seconds: float) -> Trail:
    """Send marked requests, and look for them until all are found or the time is over.

    `seconds` is the lag that is allowed.
    """
    common = f"tminus{secrets.token_hex(6)}"
    sent = await sender.send(common)
    lags: dict[str, float] = {}
    begin = min(sent.values())
    over = begin + min(seconds * PATIENCE, LONGEST_SECONDS)
    while True:
        now = sender.now()
        last = now >= over
        back = AHEAD_SECONDS if last else NEAR_SECONDS
        wanted = replace(asked, since=begin - back, until=now + AHEAD_SECONDS)
        lines, lost = await _marked(aggregator, wanted, common, sent)
        at = sender.now()
        held = {mark for mark in sent if any(_holds(line, mark) for line in lines)}
        lags |= {mark: max(0.0, at - sent[mark]) for mark in held - set(lags)}
        if len(lags) == len(sent) or last:
            return Trail(common, sent, lags, lines, lost, at - begin)
        pause = max(LOOK_SECONDS, min(LATER_SECONDS, (at - begin) / 4))
        await asyncio.sleep(max(0.0, min(pause, over - at)))


async def _marked(
    aggregator: Aggregator, wanted: Wanted, common: str, sent: Mapping[str, float]
) -> tuple[list[Line], str]:
    """The lines that hold a mark, and what is missing of them; each is asked for where one answer cannot hold all."""
    found = await aggregator.marked(wanted, common)
    lines, lost = [*found.lines], found.lost
    if found.cut:
        for mark in sent:
            if not any(_holds(line, mark) for line in found.lines):
                one = await aggregator.marked(wanted, mark)
                lines, lost = [*lines, *one.lines], lost or one.lost
    return lines, lost


def _holds(line: Line, mark: str) -> bool:
    return mark in line.text or any(mark in value for value in line.labels.values())
