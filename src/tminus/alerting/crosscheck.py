"""What Prometheus knows of the alerts that Alertmanager holds: the second source of every line about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.alerting.prometheus import asking
from tminus.alerting.rules import Rule
from tminus.errors import InconclusiveError


@dataclass(frozen=True, slots=True)
class Fired:
    """Which alerts fire by Prometheus' own account."""

    now: Sequence[str]
    before: Sequence[str]
    """Those that fired within the window and no longer do."""


@dataclass(frozen=True, slots=True)
class PrometheusAlerts:
    """The alerts of one Prometheus."""

    address: str

    async def rules(self) -> list[Rule]:
        """Every alert rule as it was loaded."""
        async with asking(self.address) as prometheus:
            return await prometheus.rules()

    async def fired(self, severity: str, seconds: int) -> Fired:
        """The alerts of one severity that fire now, or did within this time."""
        firing = f'ALERTS{{alertstate="firing",severity="{severity}"}}'
        async with asking(self.address) as prometheus:
            at = await prometheus.now()
            now = {sample.labels.get("alertname", "") for sample in await prometheus.query(firing, at)}
            window = await prometheus.query(f"max_over_time({firing}[{max(1, seconds)}s])", at)
        ever = {sample.labels.get("alertname", "") for sample in window}
        return Fired(sorted(now), sorted(ever - now))

    async def blind(self, side: str) -> list[str]:
        """The rules that look at one side only, and it is the other: a fault of this side would raise nothing."""
        found = []
        async with asking(self.address) as prometheus:
            at = await prometheus.now()
            for rule in await prometheus.rules():
                try:
                    selectors = rule.parsed().selectors
                except InconclusiveError:
                    continue
                for selector in selectors:
                    samples = await prometheus.query(f"count by (side) ({selector.exact.text})", at)
                    sides = {sample.labels.get("side", "") for sample in samples} - {""}
                    if sides and side not in sides:
                        found.append(f"{rule.name} looks at {', '.join(sorted(sides))} and not at {side}")
                        break
        return found
