"""A dashboard's variables put into its queries, as Grafana's page does it before it asks.

Grafana's server puts in its own intervals (`$__interval`, `$__rate_interval`, `$__range`) and nothing else, so whoever
asks it without a browser has to put in the rest. The forms are Grafana's: `$name`, `${name}`, `${name:format}`,
`[[name]]` (https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import Dashboard, Variable

ALL = "$__all"
"""The value that stands for all of them."""
ANYTHING = ".*"
"""What stands for all values where they are not listed."""
AUTO = frozenset({"$__auto"})

_PLACE = re.compile(
    r"\$(?P<plain>\w+)|\[\[(?P<old>\w+)(?::(?P<oldform>\w+))?\]\]"
    r"|\$\{(?P<full>\w+)(?:\.[^:}]+)?(?::(?P<form>[^}]+))?\}"
)
"""Where a variable stands; Grafana's own pattern."""
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
"""Of a pattern as JavaScript writes it; what its other flags change is nothing here."""
_SPECIAL = re.compile(r"[\\^$*+?.()|{}\[\]]")
"""What means something in a pattern."""
_TOLD, _LONGEST = 3, 80
"""How many of a variable's values are told, and how many characters of each."""
_LABELS = re.compile(r"label_values\(\s*(?:(?P<of>.+?)\s*,\s*)?(?P<label>[A-Za-z_]\w*)\s*\)", re.DOTALL)
_METRICS = re.compile(r"metrics\(\s*(?P<pattern>.*?)\s*\)", re.DOTALL)
_RESULT = re.compile(r"query_result\(\s*(?P<of>.*)\s*\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Values:
    """The chosen values of one variable."""

    chosen: tuple[str, ...]
    several: bool = False
    """Whether it is written as a pattern: more than one may be chosen."""
    ready: bool = False
    """Whether the one value is a pattern already, and goes in as it is."""


Chosen = Mapping[str, Values]
"""By the name of a variable: what is put in its place."""


def interpolated(text: str, chosen: Chosen, form: str = "") -> str:
    """A text with the variables' values in their places; names that nobody knows stay as they are.

    `form` is how values are written where their place does not say it.
    """

    def value(place: re.Match[str]) -> str:
        name = place["plain"] or place["old"] or place["full"]
        if name not in chosen:
            return place[0]
        return _written(chosen[name], place["oldform"] or place["form"] or form)

    return _PLACE.sub(value, text)


def filled(model: JsonValue, chosen: Chosen) -> JsonValue:
    """A query's model with the values in every text of it."""
    if isinstance(model, str):
        return interpolated(model, chosen)
    if isinstance(model, list):
        return [filled(one, chosen) for one in model]
    if isinstance(model, dict):
        return {name: filled(one, chosen) for name, one in model.items()}
    return model


def shown_time(begin: float, end: float) -> dict[str, Values]:
    """What stands for the time that is shown, by seconds of the epoch: the page puts in milliseconds."""
    return {"__from": Values((f"{begin * 1000:.0f}",)), "__to": Values((f"{end * 1000:.0f}",))}


def used(text: str, chosen: Chosen) -> dict[str, str]:
    """The values of the variables that stand in a text, as people read them, by name: the first of many."""
    own = (name for name in _names(text) if name in chosen and not name.startswith("__"))
    return {name: _few(chosen[name].chosen) for name in own}


def open_names(text: str, chosen: Chosen) -> list[str]:
    """The variables in a text that nobody knows; Grafana's own, which begin with `__`, are none of them."""
    return [name for name in _names(text) if name not in chosen and not re.match(r"__|\d", name)]


def _names(text: str) -> dict[str, None]:
    """The names of the variables in a text, each once, in order."""
    return dict.fromkeys(place["plain"] or place["old"] or place["full"] for place in _PLACE.finditer(text))


def _few(values: tuple[str, ...]) -> str:
    told = " + ".join(value[:_LONGEST] for value in values[:_TOLD])
    return told if len(values) <= _TOLD else f"{told} + {len(values) - _TOLD} more"


def _pattern(values: Values) -> str:
    if values.ready or not values.several:
        return values.chosen[0] if values.chosen else ""
    # Escaped once as a pattern, and once more because it stands within quotes.
    return _joined([_escaped(one).replace("\\", "\\\\") for one in values.chosen])


_FORMS: Mapping[str, Callable[[tuple[str, ...]], str]] = {
    "csv": ",".join,
    "raw": ",".join,
    "text": " + ".join,
    "pipe": "|".join,
    "glob": lambda chosen: chosen[0] if len(chosen) == 1 else "{" + ",".join(chosen) + "}",
    "json": lambda chosen: json.dumps(chosen[0] if len(chosen) == 1 else list(chosen)),
    "doublequote": lambda chosen: ",".join(f'"{one}"' for one in chosen),
    "singlequote": lambda chosen: ",".join(f"'{one}'" for one in chosen),
    "sqlstring": lambda chosen: ",".join(f"'{one}'" for one in chosen),
    "percentencode": lambda chosen: quote(",".join(chosen), safe=""),
    "regex": lambda chosen: _joined([_escaped(one) for one in chosen]),
}
"""By the name of a format: how values are written in it. What is not listed is written as Prometheus needs it."""


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", value)


def _joined(escaped: list[str]) -> str:
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _dated(milliseconds: str, form: str) -> str:
    """A time in a form of Grafana's: `date`, `date:iso`, `date:seconds`; a form of one's own is written as `date`."""
    if form == "date:seconds":
        return f"{int(milliseconds) // 1000}"
    moment = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(values: Values, form: str) -> str:
    if form.startswith("date") and values.chosen and values.chosen[0].isdigit():
        return _dated(values.chosen[0], form)
    write = _FORMS.get(form)
    if write is None or not values.chosen or values.ready:
        return _pattern(values)
    return write(values.chosen)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a variable's values are learnt from Prometheus."""

    of: str
    """The series that have the label, or the expression whose series are the values; empty for all of them."""
    label: str = ""
    """The label whose values they are; empty where each whole series is one."""
    pattern: str = ""
    """What a value must hold; empty for anything."""


def asking(query: str) -> Asking | None:
    """What a variable's query means; nothing for one that only Grafana's page understands.

    The forms are those of Grafana's data source for Prometheus: `label_values`, `metrics`, `query_result`.
    """
    if found := _LABELS.fullmatch(query.strip()):
        return Asking(found["of"] or "", found["label"])
    if found := _METRICS.fullmatch(query.strip()):
        return Asking("", "__name__", found["pattern"])
    if found := _RESULT.fullmatch(query.strip()):
        return Asking(found["of"])
    return None


def taken(values: Iterable[str], pattern: str) -> list[str]:
    """What a variable's pattern takes of each value, sorted and each once: its first group, or the whole value.

    Raises `ValueError` for a pattern that is none, or one that JavaScript alone can read.
    """
    if not pattern:
        return sorted(set(values))
    written = re.fullmatch(r"/(.*)/([dgimsuvy]*)", pattern, re.DOTALL)
    # As the page does: a pattern without slashes must fit the whole value.
    body, flags = (written[1], written[2]) if written else (f"^{pattern}$", "")
    try:
        compiled = re.compile(
            re.sub(r"\(\?<(?![=!])", "(?P<", body), sum(_FLAGS.get(flag, 0) for flag in set(flags))
        )
    except re.error as error:
        raise ValueError(f"{pattern!r} is no pattern: {error}") from error
    found = (compiled.search(one) for one in values)
    return sorted({_group(one) for one in found if one is not None})


def _group(found: re.Match[str]) -> str:
    named = found.groupdict().get("value")
    return named or next((one for one in found.groups() if one is not None), found[0])


def default(
    variable: Variable, options: Iterable[str] | None = None, *, seconds: float = 900.0
) -> Values | None:
    """What is chosen when the dashboard is opened; nothing where that cannot be known.

    `options` are the values that there are now, where they were asked for: a saved choice that is none of them any
    more gives way to the first. `seconds` is the time that is shown, by which automatic intervals go.
    """
    if variable.kind in {"adhoc", "groupby", "system"}:
        return None
    if variable.kind == "interval":
        return Values((_interval(variable, seconds),))
    saved = variable.current
    listed = [*options] if options is not None else [*_listed(variable)]
    if variable.has_all and (ALL in saved or not _still(saved, listed)):
        return _all(variable, listed)
    chosen = _still(saved, listed) or tuple(listed[:1])
    if not chosen:
        # Nothing to choose from: the page shows "None", and an empty text goes into the queries.
        return Values(("",)) if options is not None or variable.kind in {"textbox", "constant"} else None
    return Values(chosen, variable.several)


def _still(saved: tuple[str, ...], listed: list[str]) -> tuple[str, ...]:
    """What was saved, as far as it can still be chosen; all of it where nothing is listed."""
    return tuple(one for one in saved if one in listed) if listed else saved


def _all(variable: Variable, listed: list[str]) -> Values:
    if variable.all_value:
        return Values((variable.all_value,), several=True, ready=True)
    real = tuple(one for one in listed if one != ALL)
    return Values(real, several=True) if real else Values((ANYTHING,), several=True, ready=True)


def _listed(variable: Variable) -> Iterable[str]:
    """The values that a variable can have, as far as the dashboard itself says."""
    if variable.kind in {"constant", "textbox"}:
        return variable.current or ((variable.query,) if variable.query else ())
    if variable.kind == "custom":
        return (
            [_custom(one) for one in re.split(r"(?<!\\),", variable.query)]
            if variable.query
            else variable.options
        )
    return variable.options if variable.lasting else ()


def _custom(written: str) -> str:
    """One of a list's values: `production : prod` has another text than value."""
    _, separator, value = written.partition(" : ")
    return (value if separator else written).strip().replace("\\,", ",")


def _interval(variable: Variable, seconds: float) -> str:
    chosen = variable.current[0] if variable.current else ""
    listed = [one.strip() for one in variable.query.split(",") if one.strip() not in {"", "auto"}]
    if chosen and not chosen.startswith("$__auto"):
        return chosen
    # An automatic interval divides what is shown into 30 steps, as Grafana does unless told otherwise.
    return f"{max(1, round(seconds / 30))}s" if chosen or not listed else listed[0]


def order(dashboard: Dashboard) -> tuple[Variable, ...]:
    """A dashboard's variables, each after those that its query names, and otherwise as they are listed."""
    waiting = {variable.name: variable for variable in dashboard.variables}
    found: list[Variable] = []
    while waiting:
        free = [one for one in waiting.values() if not _needs(one, waiting)] or [next(iter(waiting.values()))]
        found += free
        for one in free:
            del waiting[one.name]
    return tuple(found)


def _needs(variable: Variable, names: Mapping[str, Variable]) -> bool:
    text = f"{variable.query} {variable.source.uid} {variable.pattern}"
    return bool(set(_names(text)) & (set(names) - {variable.name}))
