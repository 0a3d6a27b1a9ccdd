"""What a record says of the team's metrics, for `tminus verify`: a failed one was acted upon, none was left out.

What was measured cannot be measured again. That the counts fit one another, and what was done fits them, can be seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tminus.domain.evidence import Verdict
from tminus.domain.measurement import COUNTED, RUNNING
from tminus.domain.record import Event
from tminus.errors import RecordError

MEASURED = "metrics.measured"
"""The event with which a stage ends in which metrics were measured."""
_VERDICTS = frozenset({RUNNING, *(verdict.value for verdict in Verdict)})
_GOOD = frozenset({Verdict.PASSED.value, Verdict.WARNED.value})
_HINT = "do not rely on this launch: its record does not prove what it says"


@dataclass(slots=True)
class Metered:
    """The metrics at the newest look of the guard; none of a plan that has none."""

    rows: Sequence[Mapping[str, Any]] = ()

    def take(self, event: Event) -> None:
        """Judge a look, `traffic.seen`, or the end of a stage, `metrics.measured`."""
        gauges = event.data if event.type == MEASURED else event.data.get("gauges")
        told = gauges.get("metrics", []) if isinstance(gauges, Mapping) else []
        rows = (
            [row for row in told if isinstance(row, dict) and _whole(row)] if isinstance(told, list) else []
        )
        if not isinstance(told, list) or len(rows) < len(told):
            raise RecordError("the metrics of a look are not as they are recorded", hint=_HINT)
        named = {str(row["metric"]) for row in rows}
        for row in self.rows:
            if row["metric"] not in named:
                raise RecordError(f"the metric {row['metric']} is measured no more", hint=_HINT)
        self.rows = rows
        failed = [str(row["metric"]) for row in rows if row["verdict"] == Verdict.FAILED.value]
        if failed and event.data.get("action") != "rollback":
            raise RecordError(f"the metric {failed[0]} had failed, and the launch went on", hint=_HINT)

    def end(self, outcome: str) -> None:
        """Judge an end: nothing lands on a metric that has not passed."""
        late = next((row for row in self.rows if row["verdict"] not in _GOOD), None)
        if outcome == "landed" and late:
            raise RecordError(f"landed while the metric {late['metric']} was {late['verdict']}", hint=_HINT)


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether a row is what a look records, and its counts fit one another."""
    counts = [row.get(name) for name in COUNTED]
    numbers = [
        count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count >= 0
    ]
    if row.get("verdict") not in _VERDICTS or not row.get("metric") or len(numbers) < len(COUNTED):
        return False
    taken, passed, warned, failed, inconclusive = numbers[:5]
    known = row["verdict"] not in _GOOD or passed + warned > 0
    return passed + warned + failed + inconclusive <= taken and known
