"""A drill: one marked alert that is sent, followed to where it must arrive, and ended again.

It changes nothing but its own alert. Its name holds its mark, so that no other alert is grouped with it and no earlier
group makes it wait. What could not be ended ends by itself.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from tminus.alerting.alertmanager import Active, Alertmanager, Sent
from tminus.alerting.inboxes import Inbox
from tminus.domain.canonical import JsonValue, timestamp

MARK = "tminus"
"""The label of alerts that are drills; its value is `drill`."""

LASTS_SECONDS = 300.0
"""After this time a drill ends by itself."""

ENDING_SECONDS = 5.0
"""How long its end is waited for."""

_LOOK_SECONDS = 0.1
_PAST_SECONDS = 1.0
"""How far before the drill the receivers are searched: their clocks need not be ours."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill at one Alertmanager."""

    api: Alertmanager
    mark: str
    labels: Mapping[str, str]
    now: Callable[[], float]
    began: float = field(default=0.0)

    @classmethod
    def new(
        cls, api: Alertmanager, mark: str, labels: Mapping[str, str], now: Callable[[], float]
    ) -> "Drill":
        """A drill that nobody has heard of yet."""
        own = {"alertname": f"TminusDrill_{mark}", "nonce": mark, MARK: "drill"}
        return cls(api, mark, {**labels, **own}, now, now())

    async def begin(self) -> None:
        """Send the alert."""
        await self._post(self.began + LASTS_SECONDS)

    async def end(self) -> None:
        """Say that it is over."""
        await self._post(self.now())

    async def _post(self, ends: float) -> None:
        summary = f"tminus drill {self.mark}: nobody has to do anything"
        starts = timestamp(min(self.began, ends))
        await self.api.post(self.labels, summary=summary, starts=starts, ends=timestamp(ends))

    async def muted(self) -> list[JsonValue]:
        """What keeps Alertmanager from telling anybody of it."""
        held = await self.api.alerts(f'nonce="{self.mark}"')
        return [
            await muting(self.api, one) for one in held if one.silenced_by or one.inhibited_by or one.muted_by
        ]

    async def arrives(self, inboxes: Mapping[str, Inbox], seconds: float) -> dict[str, float]:
        """By receiver: after how many seconds it was there; those where it was not in time are left out."""
        return await self._seen(inboxes, seconds, over=False)

    async def over(self, inboxes: Mapping[str, Inbox]) -> tuple[bool, list[str]]:
        """Whether Alertmanager has let go of it, and which receivers were told that it is over.

        An end that lies ahead of Alertmanager's clock, if by less than a millisecond, gives way to the later end that
        the alert had before; so it is said again until it is taken.
        """
        began = monotonic()
        while True:
            held = await self.api.alerts(f'nonce="{self.mark}"')
            if not held or monotonic() - began > ENDING_SECONDS:
                break
            await asyncio.sleep(_LOOK_SECONDS)
            await self.end()
        return not held, [*await self._seen(inboxes, ENDING_SECONDS, over=True)]

    async def _seen(self, inboxes: Mapping[str, Inbox], seconds: float, *, over: bool) -> dict[str, float]:
        began = monotonic()
        found: dict[str, float] = {}
        while len(found) < len(inboxes) and monotonic() - began < seconds:
            for name, inbox in inboxes.items():
                notices = await inbox.notices(self.mark, self.began - _PAST_SECONDS)
                if name not in found and any(one.over or not over for one in notices):
                    found[name] = round(monotonic() - began, 2)
            if len(found) < len(inboxes):
                await asyncio.sleep(_LOOK_SECONDS)
        return found

    async def pages(self, inboxes: Mapping[str, Inbox]) -> list[str]:
        """The receivers that wake somebody and have got it."""
        since = self.began - _PAST_SECONDS
        return [name for name, one in inboxes.items() if one.pages and await one.notices(self.mark, since)]


async def muting(api: Alertmanager, alert: Active) -> str:
    """Who or what keeps an alert from being told."""
    if alert.silenced_by:
        return f"{alert.name} is {await api.silence(alert.silenced_by[0])}"
    if alert.muted_by:
        return f"{alert.name} is muted in the time interval {', '.join(alert.muted_by)}"
    return f"{alert.name} is inhibited by another alert ({', '.join(alert.inhibited_by) or 'unknown'})"


def failures(before: Sent, after: Sent) -> list[JsonValue]:
    """Which integrations failed to tell something meanwhile, by Alertmanager's own count."""
    grown = {
        name: count - before.failed.get(name, 0.0)
        for name, count in after.failed.items()
        if count > before.failed.get(name, 0.0)
    }
    return [f"{count:g} notifications by {name} failed meanwhile" for name, count in grown.items()]
