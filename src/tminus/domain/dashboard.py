"""A dashboard as Grafana keeps it: its panels, what they ask, and its variables.

The model is Grafana's dashboard JSON (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
Panels lie in a list, within rows that are folded, or, before schema version 16, in a list of rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tminus.domain.canonical import JsonValue

ROW = "row"
"""The kind of panel that holds others and shows nothing itself."""
MIXED = "-- Mixed --"
"""A panel whose queries each name their own data source."""
SHARED = "-- Dashboard --"
"""A panel that shows what another panel of the dashboard has asked."""
MUTE = frozenset(
    {"text", "dashlist", "alertlist", "annolist", "news", "welcome", "gettingstarted", "pluginlist"}
)
"""Kinds of panels that ask nothing, whatever is left in them of what they were before."""
OWN = frozenset({"-- Grafana --", "grafana", "__expr__", SHARED, MIXED})
"""Data sources that Grafana is itself; there is nothing behind them that could be ill."""
LARGEST_BYTES = 8 * 1024 * 1024
"""The largest file that is read; the largest dashboards that people publish have half a megabyte."""
EXPRESSIONS = "__expr__"
"""Where sums over the other queries of a panel are made."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which data source is meant, as it is written: by uid, by name, by a variable; both empty for the default one."""

    uid: str = ""
    kind: str = ""
    """Its plugin: `prometheus`."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel."""

    ref: str
    """Its name within the panel: `A`."""
    source: Source
    hidden: bool
    """Asked only for the sums of others; nothing of it is drawn."""
    model: Mapping[str, JsonValue] = field(repr=False)
    """Everything that the dashboard says of it."""

    @property
    def expression(self) -> str:
        """What it asks in PromQL or LogQL; empty for a query of another form."""
        found = self.model.get("expr")
        return found if isinstance(found, str) else ""

    @property
    def text(self) -> str:
        """All that it asks, whatever its form: for people, and to see what it is about."""
        asked = (
            self.model.get(name) for name in ("expr", "query", "rawSql", "rawQuery", "expression", "target")
        )
        return " ".join(one for one in asked if isinstance(one, str))

    @property
    def blank(self) -> bool:
        """Whether it is one that the page does not send: its expression was left empty."""
        said = isinstance(self.model.get("expr"), str) and self.source.kind in {"", "prometheus", "loki"}
        return said and not self.text.strip()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, or a row of them."""

    number: int
    """Its id within the dashboard; 0 where it has none."""
    title: str
    kind: str
    """`timeseries`, `stat`, `row`, …"""
    queries: tuple[Query, ...]
    library: str = ""
    """The uid of the library panel that it shows; empty for one of its own."""
    shares: int = 0
    """The id of the panel whose answers it shows; 0 for none."""
    interval: str = ""
    """Its least interval from one point to the next, `1m`, or a variable of it; empty for the data source's."""

    @property
    def drawn(self) -> tuple[Query, ...]:
        """The queries that it shows."""
        return tuple(query for query in self.queries if not query.hidden)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.title.strip() or f"panel {self.number}"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a dashboard."""

    name: str
    kind: str
    """`query`, `custom`, `constant`, `datasource`, `interval`, `textbox`, …"""
    query: str
    """What gives its values: a query, a list, a plugin's name, or the value itself."""
    current: tuple[str, ...]
    """The values that are chosen when the dashboard is opened; none where it was saved without."""
    source: Source = Source()
    options: tuple[str, ...] = ()
    pattern: str = ""
    """A pattern that its values must match; its first group is what is taken of each."""
    several: bool = False
    """Whether more than one value may be chosen, or all: then they are written as a pattern."""
    has_all: bool = False
    all_value: str = ""
    """What stands for all of them; empty where each of them does."""
    lasting: bool = False
    """Whether its values are asked for no more, so that the saved ones count."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    version: int
    refresh: str
    """How often it asks anew, `30s`; empty for never by itself."""
    schema: int
    panels: tuple[Panel, ...]
    """Every panel, those within rows and the rows too, in order."""
    variables: tuple[Variable, ...]
    inputs: tuple[str, ...] = ()
    """What has to be given when the file is imported: `DS_PROMETHEUS`."""
    legacy_rows: int = 0
    """Rows of the form before schema version 16."""

    @property
    def shown(self) -> tuple[Panel, ...]:
        """The panels that show data: those with a query, and those that share another's."""
        return tuple(panel for panel in self.panels if panel.kind != ROW and (panel.drawn or panel.shares))

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every query of every panel, hidden ones too."""
        return tuple(query for panel in self.panels for query in panel.queries)


def read(document: JsonValue, library: Mapping[str, Mapping[str, JsonValue]] | None = None) -> Dashboard:
    """The dashboard in a file or an answer, bare or under `dashboard`; raises `ValueError` for what is none.

    `library` holds the models of library panels by their uid.
    """
    model = bare(document)
    rows = _objects(model.get("rows"))
    found = [*_panels(model.get("panels"), library or {})]
    for row in rows:
        found += _panels(row.get("panels"), library or {})
    return Dashboard(
        uid=_text(model.get("uid")),
        title=_text(model.get("title")),
        version=_number(model.get("version")),
        refresh=_text(model.get("refresh")),
        schema=_number(model.get("schemaVersion")),
        panels=tuple(found),
        variables=tuple(_variables(model)),
        inputs=tuple(_text(one.get("name")) for one in _objects(model.get("__inputs"))),
        legacy_rows=len(rows),
    )


def bare(document: JsonValue) -> Mapping[str, JsonValue]:
    """A dashboard's model, taken out of what it may be wrapped in; raises `ValueError` for what is no dashboard."""
    model = document.get("dashboard", document) if isinstance(document, Mapping) else None
    if wrong := _wrong(model):
        raise ValueError(wrong)
    assert isinstance(model, Mapping)  # noqa: S101 - anything else is wrong
    return model


def _wrong(model: JsonValue) -> str:
    """Why this is no dashboard's model; empty when it is one."""
    if not isinstance(model, Mapping):
        return "it is no JSON object"
    if isinstance(model.get("elements"), Mapping) and "layout" in model:
        return "it is of Grafana's second schema (`elements`, `layout`), which is not read here"
    if not isinstance(model.get("title"), str):
        return "it has no title"
    return "" if isinstance(model.get("panels", model.get("rows")), list) else "it has no list of panels"


def libraries(dashboard: Dashboard) -> tuple[str, ...]:
    """The uids of the library panels that it shows, each once."""
    return tuple(dict.fromkeys(panel.library for panel in dashboard.panels if panel.library))


def _panels(found: JsonValue, library: Mapping[str, Mapping[str, JsonValue]]) -> Iterator[Panel]:
    for model in _objects(found):
        yield _panel(model, library)
        yield from _panels(model.get("panels"), library)


def _panel(model: Mapping[str, JsonValue], library: Mapping[str, Mapping[str, JsonValue]]) -> Panel:
    shown = model.get("libraryPanel")
    uid = _text(shown.get("uid")) if isinstance(shown, Mapping) else ""
    # What the dashboard says of a library panel is its place; everything else is the library's.
    said = {**library[uid], "id": model.get("id")} if uid in library else model
    source = _source(said.get("datasource"))
    kind = _text(said.get("type"))
    queries = [_query(one, number, source) for number, one in enumerate(_objects(said.get("targets")))]
    asking = kind not in MUTE and source.uid != SHARED
    shares = next((_number(one.get("panelId")) for one in _objects(said.get("targets"))), 0)
    return Panel(
        number=_number(said.get("id")),
        title=_text(said.get("title")) or (_text(shown.get("name")) if isinstance(shown, Mapping) else ""),
        kind=kind,
        queries=tuple(one for one in queries if not one.blank) if asking else (),
        library=uid,
        shares=shares if source.uid == SHARED else 0,
        interval=_text(said.get("interval")),
    )


def _query(model: Mapping[str, JsonValue], number: int, panel: Source) -> Query:
    written = model.get("datasource")
    # A text or an object says which; anything else was never a data source, and the panel's own is asked.
    own = _source(written) if isinstance(written, str) or _names_one(written) else panel
    return Query(
        ref=_text(model.get("refId")) or chr(ord("A") + number % 26),
        source=own,
        hidden=model.get("hide") is True,
        model=model,
    )


def _names_one(written: JsonValue) -> bool:
    return isinstance(written, Mapping) and bool({"uid", "type"} & set(written))


def _source(written: JsonValue) -> Source:
    if isinstance(written, str):
        return Source(uid=written)
    if isinstance(written, Mapping):
        kind = _text(written.get("type"))
        # Grafana 8 wrote -100 for the uid of its sums.
        return Source(uid=EXPRESSIONS if kind == EXPRESSIONS else _text(written.get("uid")), kind=kind)
    return Source()


def _variables(model: Mapping[str, JsonValue]) -> Iterator[Variable]:
    templating = model.get("templating")
    for one in _objects(templating.get("list") if isinstance(templating, Mapping) else None):
        asked = one.get("query")
        query = _text(asked.get("query")) if isinstance(asked, Mapping) else _text(asked)
        current = one.get("current")
        has_all = one.get("includeAll") is True
        yield Variable(
            name=_text(one.get("name")),
            kind=_text(one.get("type")),
            query=query or _text(one.get("definition")),
            current=_values(current.get("value")) if isinstance(current, Mapping) else (),
            source=_source(one.get("datasource")),
            options=tuple(_options(one.get("options"))),
            pattern=_text(one.get("regex")),
            several=has_all or one.get("multi") is True,
            has_all=has_all,
            all_value=_text(one.get("allValue")),
            lasting=not _number(one.get("refresh")) and one.get("refresh") is not True,
        )


def _options(found: JsonValue) -> Iterator[str]:
    for one in _objects(found):
        yield from _values(one.get("value"))


def _values(found: JsonValue) -> tuple[str, ...]:
    if isinstance(found, list):
        return tuple(str(one) for one in found if isinstance(one, str | int | float))
    return (str(found),) if isinstance(found, str | int | float) and not isinstance(found, bool) else ()


def _objects(found: JsonValue) -> Sequence[Mapping[str, JsonValue]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _text(found: JsonValue) -> str:
    return found if isinstance(found, str) else ""


def _number(found: JsonValue) -> int:
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
