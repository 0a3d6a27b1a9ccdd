"""The limit of an alert: what each measure is counted in, and which limits it could never cross."""

from collections.abc import Mapping

from tminus.domain import expectation, value
from tminus.domain.value import ValueKind

KINDS: Mapping[str, ValueKind] = {
    "downtime": ValueKind.TIME,
    "errors": ValueKind.SHARE,
    "p95": ValueKind.TIME,
    "connections": ValueKind.SHARE,
    "memory": ValueKind.SHARE,
    "disk": ValueKind.SHARE,
    "cache hits": ValueKind.SHARE,
    "queue": ValueKind.COUNT,
}
"""By what an alert measures."""
SIGNS: Mapping[str, str] = {"above": ">", "below": "<"}
"""By the argument that holds a limit: how its alert compares."""
_EXAMPLES: Mapping[ValueKind, str] = {
    ValueKind.TIME: "500 ms",
    ValueKind.SHARE: "85%",
    ValueKind.COUNT: "1000",
}


def unfit(measure: str, argument: str, text: str) -> str:
    """What is wrong with the limit that `above` or `below` holds, and what to write; empty when it fits."""
    kind = KINDS[measure]
    try:
        limit = expectation.parse(f"{SIGNS[argument]} {text}")
    except ValueError:
        return f'{text!r} is no limit of {measure}; write for example {argument}: "{_EXAMPLES[kind]}"'
    return value.misfit(kind, limit)
