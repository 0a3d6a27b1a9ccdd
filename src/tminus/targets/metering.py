"""A team's metrics, as Prometheus answers them: each with what speaks against believing the answer.

Prometheus gives a value for what it has not heard of for minutes, and a query may make a number of nothing (`or
vector(0)`). So beside each answer it is asked how old the newest samples are that the query reads.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.alerting import expression
from tminus.alerting.prometheus import Prometheus, Sample, asking
from tminus.domain.measurement import Reading
from tminus.errors import InconclusiveError

STALE = 150.0
"""Seconds after which a sample says nothing of now: two scrapes at Prometheus' own interval of a minute, and a half."""


@dataclass(frozen=True, slots=True)
class PrometheusMeter:
    """Every Prometheus of a plan."""

    addresses: Mapping[str, str] = field(repr=False)
    """By the plan's name of each; an address may hold a login."""

    async def read(self, system: str, query: str) -> Reading:
        """See `Meter.read`."""
        try:
            selectors = expression.measured_now(expression.parse(query).tree)
        except ValueError as error:
            raise InconclusiveError(
                f"this query cannot be read: {query[:100]}", hint="correct it in the plan"
            ) from error
        async with asking(self.addresses[system]) as prometheus:
            samples = await prometheus.query(query)
            ages = {one.text: await _age(prometheus, one.text) for one in selectors}
        return Reading(
            tuple(sample.value for sample in samples),
            tuple(map(_told, samples)),
            _doubt(ages, query) if samples else "",
        )


async def _age(prometheus: Prometheus, selector: str) -> float | None:
    """Seconds since the newest sample of these series; nothing where none of them is scraped."""
    found = await prometheus.query(f"time() - max(timestamp({selector}))")
    return found[0].value if found and math.isfinite(found[0].value) else None


def _doubt(ages: Mapping[str, float | None], query: str) -> str:
    """Why an answer may not be believed: nothing of it is there, or something has not been heard of for long."""
    if not ages:
        return ""
    known = {selector: age for selector, age in ages.items() if age is not None}
    if not known:
        return f"nothing that it reads is scraped now ({', '.join(ages) or query})"
    oldest = max(known, key=lambda selector: known[selector])
    if known[oldest] > STALE:
        return f"the newest sample of {oldest} is {known[oldest]:.0f} s old"
    return ""


def _told(sample: Sample) -> str:
    return (
        ",".join(f'{name}="{value}"' for name, value in sample.labels.items() if name != "__name__") or "{}"
    )
