"""An Alertmanager configuration as a file: its tree, and why Alertmanager would refuse it.

Held to the rules by which Alertmanager loads one (`config` of prometheus/alertmanager): routes, receivers, inhibition
and time intervals. The options of integrations are looked at in `receivers`, and no further than told there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tminus.alerting import intervals, receivers
from tminus.alerting.matchers import CLASSIC_NAME, Matcher, matcher, parse
from tminus.alerting.routes import Route, Tree
from tminus.alerting.yamltree import (
    Fault,
    FaultError,
    Fields,
    Node,
    Scalar,
    as_fields,
    as_text,
    documents,
    telling,
)
from tminus.errors import InconclusiveError

ALL = "..."
"""What `group_by` is when every alert is told by itself."""

_TOP = {
    *("global", "route", "inhibit_rules", "receivers", "templates"),
    *("mute_time_intervals", "time_intervals", "tracing"),
}
_ROUTE = {
    *(
        "receiver",
        "group_by",
        "match",
        "match_re",
        "matchers",
        "mute_time_intervals",
        "active_time_intervals",
    ),
    *("continue", "routes", "group_wait", "group_interval", "repeat_interval"),
}
_INHIBITION = {
    *("name", "source_match", "source_match_re", "source_matchers", "sources"),
    *("target_match", "target_match_re", "target_matchers", "equal"),
}
_SOURCE = {"matchers", "equal"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was read of a file."""

    tree: Tree | None
    """None where its routes cannot be followed."""
    faults: tuple[Fault, ...]
    """Why Alertmanager would refuse it; none where it would load it."""
    remarks: tuple[str, ...]
    """What it would load and warn of."""
    inhibitions: int
    intervals: tuple[str, ...]
    """The names of its time intervals."""


def read(text: str) -> Configuration:
    """The configuration that this text is; what is wrong with it is in its faults."""
    faults: list[Fault] = []
    with telling(faults):
        roots = documents(text)
        # Alertmanager reads the first document and never looks for another.
        if roots and not (isinstance(roots[0], Scalar) and roots[0].empty):
            return _Reader(faults).read(as_fields(roots[0], "an Alertmanager configuration"))
        faults.append(Fault(1, "it is empty: there is no route"))
    return Configuration(None, tuple(faults), (), 0, ())


def tree(text: str) -> Tree:
    """The tree of a configuration that an Alertmanager has loaded; raises `InconclusiveError` for what is none.

    What it loaded is not refused again here: it may be newer than the rules that `read` knows.
    """
    found = read(text)
    if found.tree is None:
        raise InconclusiveError(
            f"Alertmanager's configuration cannot be read: {found.faults[0]}",
            hint="look at it with `amtool config show`",
        )
    return found.tree


@dataclass(slots=True)
class _Reader:
    faults: list[Fault]
    remarks: list[str] = field(default_factory=list)
    walkable: bool = True

    def read(self, config: Fields) -> Configuration:
        self._unknown(config, _TOP, "an Alertmanager configuration")
        integrations = receivers.read(config, self.faults)
        named = tuple(self._intervals(config))
        inhibitions = self._each(config, "inhibit_rules", self._inhibition)
        with telling(self.faults):
            config.texts("templates")
        root = self._root(config)
        if root is not None:
            self.faults += _undefined(root, integrations, named)
        found = Tree(root, integrations) if root is not None and self.walkable else None
        return Configuration(
            found, tuple(sorted(set(self.faults))), tuple(dict.fromkeys(self.remarks)), inhibitions, named
        )

    def _unknown(self, fields: Fields, known: Iterable[str], what: str) -> None:
        self.faults += [
            Fault(line, f"{name} is no field of {what}") for line, name in fields.unknown({*known})
        ]

    def _each(self, config: Fields, name: str, act: Callable[[Fields], None]) -> int:
        """How many entries a list of mappings has, each of them looked at."""
        nodes: list[Node] = []
        with telling(self.faults):
            nodes = config.listed(name)
        for node in nodes:
            with telling(self.faults):
                act(as_fields(node, f"each of {name}"))
        return len(nodes)

    def _root(self, config: Fields) -> Route | None:
        node = config.get("route")
        if node is None:
            self.faults.append(Fault(config.line_of("route"), "there is no route"))
            return None
        if not isinstance(node, Fields):
            self.faults.append(Fault(node.line, "route is no mapping"))
            return None
        root = self._route(node, "", ())
        wrong = {
            "the first route has no receiver": not root.receiver,
            "the first route has matchers, and everything must be able to end at it": bool(root.matchers),
            "the first route has `continue`, and nothing comes after it": root.goes_on,
            "the first route is muted in time intervals": bool(root.muted),
            "the first route is active in time intervals only": bool(root.active),
        }
        self.faults += [Fault(node.line, sentence) for sentence, holds in wrong.items() if holds]
        return root

    def _route(self, node: Fields, receiver: str, group_by: tuple[str, ...]) -> Route:
        self._unknown(node, _ROUTE, "a route")
        with telling(self.faults):
            group_by = self._grouped(node) or group_by
        for name, zero in (("group_wait", True), ("group_interval", False), ("repeat_interval", False)):
            with telling(self.faults):
                if node.seconds(name) == 0 and not zero:
                    raise FaultError(node.line_of(name), f"{name} cannot be zero")
        muted: list[tuple[int, str]] = []
        active: list[tuple[int, str]] = []
        with telling(self.faults):
            muted, active = node.texts("mute_time_intervals"), node.texts("active_time_intervals")
        matchers: list[Matcher] = []
        goes_on = False
        children: tuple[Route, ...] = ()
        try:
            receiver = node.text("receiver") or receiver
            goes_on = node.flag("continue")
            matchers = [*self._matchers(node, ("match", "match_re", "matchers"))]
            inner = [as_fields(one, "a route") for one in node.listed("routes")]
            children = tuple(self._route(one, receiver, group_by) for one in inner)
        except FaultError as error:
            self.walkable = False
            self.faults.append(Fault(error.line, str(error)))
        return Route(
            receiver,
            tuple(matchers),
            goes_on,
            children,
            group_by,
            tuple(name for _, name in muted),
            tuple(name for _, name in active),
            node.line,
        )

    def _grouped(self, node: Fields) -> tuple[str, ...]:
        found: list[str] = []
        for line, name in node.texts("group_by"):
            if name in found:
                raise FaultError(line, f"group_by has {name} twice")
            if name != ALL:
                self._label(line, name, "group_by")
            found.append(name)
        if ALL in found and len(found) > 1:
            raise FaultError(node.line_of("group_by"), "group_by has `...` and other labels beside it")
        return tuple(found)

    def _label(self, line: int, name: str, where: str) -> None:
        if not name:
            raise FaultError(line, f"{where} has a label without a name")
        if not CLASSIC_NAME.fullmatch(name):
            self.remarks.append(
                f"line {line}: {where} has {name}, which is a label to Alertmanager 0.27 and newer only"
            )

    def _matchers(self, node: Fields, names: tuple[str, str, str]) -> Iterator[Matcher]:
        """The conditions of a node: texts to be equal, patterns, and matchers as they are written now."""
        equal, patterns, written = names
        for name, operator in ((equal, "="), (patterns, "=~")):
            values = node.mapped(name)
            for label, value in values.nodes.items():
                yield _old(values.lines[label], label, operator, value)
        for line, text in node.texts(written):
            try:
                found, remark = parse(text)
            except ValueError as error:
                raise FaultError(line, str(error)) from error
            if remark:
                self.remarks.append(f"line {line}: {remark}")
            yield from found

    def _inhibition(self, rule: Fields) -> None:
        self._unknown(rule, _INHIBITION, "an inhibition")
        self.remarks += [
            f"line {rule.line_of(name)}: an inhibition has {name}, which no Alertmanager before 0.29 reads"
            for name in ("name", "sources")
            if rule.get(name) is not None
        ]
        for side in ("source", "target"):
            with telling(self.faults):
                [*self._matchers(rule, (f"{side}_match", f"{side}_match_re", f"{side}_matchers"))]
        self._equal(rule)
        sources = [as_fields(one, "each of sources") for one in rule.listed("sources")]
        beside = [
            name for name in ("source_match", "source_match_re", "source_matchers", "equal") if rule.get(name)
        ]
        if sources and beside:
            raise FaultError(
                rule.line_of("sources"), f"an inhibition has sources and {beside[0]} beside them"
            )
        for source in sources:
            self._unknown(source, _SOURCE, "a source")
            matchers = [*self._matchers(source, ("", "", "matchers"))]
            if all(one.takes({}) for one in matchers):
                raise FaultError(source.line, "a source takes alerts without any label too")
            self._equal(source)

    def _equal(self, node: Fields) -> None:
        with telling(self.faults):
            for line, name in node.texts("equal"):
                self._label(line, name, "equal")

    def _intervals(self, config: Fields) -> Iterator[str]:
        """The names of the time intervals, under their old key and their new one."""
        seen: set[str] = set()

        def one(node: Fields) -> None:
            self._unknown(node, {"name", "time_intervals"}, "a named time interval")
            intervals.check(node, self.faults)
            name = node.text("name")
            if not name:
                raise FaultError(node.line, "a time interval has no name")
            if name in seen:
                raise FaultError(node.line_of("name"), f"there are two time intervals {name}")
            seen.add(name)

        for key in ("mute_time_intervals", "time_intervals"):
            self._each(config, key, one)
        yield from sorted(seen)


def _old(line: int, label: str, operator: str, value: Node) -> Matcher:
    """A condition of `match` or `match_re`."""
    if not CLASSIC_NAME.fullmatch(label):
        raise FaultError(line, f"{label!r} is no label")
    text = as_text(value, f"what {label} must be")
    if operator == "=~" and isinstance(value, Scalar) and value.empty:
        raise FaultError(line, f"the pattern for {label} is missing")
    try:
        return matcher(label, operator, text)
    except ValueError as error:
        raise FaultError(line, str(error)) from error


def _undefined(root: Route, integrations: Iterable[str], named: Iterable[str]) -> Iterator[Fault]:
    """Receivers and time intervals that routes name and that there are not."""
    known, there = {*integrations, ""}, {*named}
    # A receiver is handed down; it is told where it is written.
    told = [
        root,
        *(child for route in root.below() for child in route.children if child.receiver != route.receiver),
    ]
    for route in told:
        if route.receiver not in known:
            yield Fault(route.line, f"there is no receiver {route.receiver}")
    for route in root.below():
        for name in (*route.muted, *route.active):
            if name not in there:
                yield Fault(route.line, f"there is no time interval {name}")
