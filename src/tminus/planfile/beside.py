"""The systems that a line needs: the one it looks at, those that its arguments name, and one that is asked beside."""

from collections.abc import Collection, Iterator, Mapping

from tminus.planfile.shape import Place

NAMED: Mapping[tuple[str, str], Collection[str]] = {
    ("alertmanager.drill", "receivers"): ("pagerduty", "slack", "mail"),
    ("kubernetes.secrets", "vault"): ("vault",),
    ("pagerduty.sms", "provider"): ("twilio",),
}
"""By probe and argument: the kinds of systems of the plan that it names."""

_BESIDE: Mapping[str, tuple[str, str]] = {
    "alertmanager.drill": ("prometheus", "side"),
    "alertmanager.routes": ("prometheus", ""),
    "kubernetes.secrets": ("vault", ""),
}
"""By probe: the kind of system without which it sees nothing, and the argument that it is needed for, if not always."""


def looked_at(probe: str, arguments: Mapping[str, object]) -> str:
    """The system that a line looks at, by its name."""
    return str(arguments.get("system", probe.partition(".")[0]))


def beside(probe: str, arguments: Mapping[str, object]) -> str:
    """The kind of another system that a line asks; empty for none."""
    kind, wanted_for = _BESIDE.get(probe, ("", ""))
    return kind if not wanted_for or arguments.get(wanted_for) else ""


def named(probe: str, arguments: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    """Every other system that a line's arguments name, and where within them."""
    for at, key in NAMED:
        if at == probe:
            for within, name in _texts(arguments.get(key)):
                yield (key, *within), name


def needed(probe: str, arguments: Mapping[str, object], kinds: Mapping[str, str]) -> set[str]:
    """The names of all systems that a line needs; `kinds` has those that there are, each with its kind."""
    kind = beside(probe, arguments)
    first = [name for name, known in kinds.items() if kind and known == kind][:1]
    return {looked_at(probe, arguments), *(name for _, name in named(probe, arguments)), *first}


def _texts(value: object) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str) and value:
        yield (), value
    for index, part in enumerate(value if isinstance(value, list) else ()):
        if isinstance(part, str) and part:
            yield (index,), part
