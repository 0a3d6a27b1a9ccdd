"""How well a line of a checklist fits what is known about a line of the plan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from tminus.matching.context import Context
from tminus.matching.reading import Bound, Line, bound
from tminus.matching.saying import Saying
from tminus.matching.vocabulary import FREE

SURE = 0.96
LOOSE = 0.80
FOREIGN = 0.30
"""What a concept costs that the known line does not speak of: it is likely another line."""
FOREIGN_ASIDE = 0.08
MOST_ASIDE = 2
STRANGE = (0.28, 0.28, 0.28, 0.15, 0.11)
"""What an unknown word costs, by how many concepts the way of saying needs: much evidence bears more."""
STRANGE_ASIDE = 0.03
IN_PASSING = 0.05
UNASKED_LIMIT = 0.20
OTHER_LIMIT = 0.12
NO_LIMIT = 0.15
NEAR = 0.04
BUILD_ORDER = 0.06
DO_ORDER = 0.02
DEVELOPMENT = 0.10


@dataclass(frozen=True, slots=True)
class _Way:
    groups: tuple[frozenset[str], ...]
    explained: frozenset[str]
    loose: bool
    placed: bool
    """Whether the headings must speak for it."""
    first: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Subjects of headings or of the line; in the table `+` stands for the line only, `#` for headings only."""

    spoken: frozenset[str]
    headed: frozenset[str]

    def holds(self, line: set[str], context: Context) -> bool:
        return not (self.spoken.isdisjoint(line) and self.headed.isdisjoint(context.tags))


class Rule:
    """One entry of the table, made ready to judge lines."""

    def __init__(self, known_id: str, saying: Saying) -> None:
        self.id = known_id
        self._saying = saying
        allowed = frozenset(saying.may.split()) | FREE | ({saying.word} if saying.word else frozenset())
        self._ways = tuple(_way(words, allowed) for words in saying.says)
        self._near = frozenset(saying.near.split())
        self._never = _place(saying.never)
        self._only = _place(saying.only)
        self._signs = "approve" in saying.only
        self._limit = bound(saying.limit) if saying.limit else None

    @property
    def needs_place(self) -> bool:
        """Whether the words alone do not say enough."""
        return self._only is not None

    def anchors(self) -> Iterator[str]:
        """Concepts of which a line has one, if it can mean this at all."""
        return chain.from_iterable(way.groups[0] for way in self._ways)

    def confidence(self, line: Line, context: Context) -> float:
        """How likely the line means this, from 0 to 1."""
        spoken = set(line.concepts)
        if context.signing and not self._signs:
            return 0.0
        if not self._in_place(spoken | set(line.aside), context) or not self._order_holds(line, context):
            return 0.0
        near = not self._near.isdisjoint(context.tags)
        said = max(_said(way, line, spoken, near=near) for way in self._ways)
        if not said:
            return 0.0
        order = {"build": BUILD_ORDER, "do": DO_ORDER}.get(line.order, 0.0)
        late = DEVELOPMENT if context.development else 0.0
        return max(0.0, said - order - late - self._limit_cost(line, spoken, context))

    def fits(self, line: Line, context: Context) -> bool:
        """Whether the same words may mean this here; without any heading the words alone must do."""
        spoken = set(line.concepts) | set(line.aside)
        if self._never and self._never.holds(set(), context):
            return False
        return not self._only or self._only.holds(spoken, context) or not context.headed

    def _in_place(self, spoken: set[str], context: Context) -> bool:
        if self._never and self._never.holds(spoken, context):
            return False
        return not self._only or self._only.holds(spoken, context)

    def _order_holds(self, line: Line, context: Context) -> bool:
        if line.order == "build":
            return self._saying.order and context.launch
        return not (line.order == "do" and context.development)

    def _limit_cost(self, line: Line, spoken: set[str], context: Context) -> float:
        """What the line's limits say against it; 1 is a refusal."""
        if self._limit is None:
            return (STRANGE_ASIDE if line.bounds_aside else UNASKED_LIMIT) * len(line.bounds)
        named = self._saying.word in spoken or self._saying.word in context.tags
        if not line.bounds:
            return NO_LIMIT if named and not self._saying.needs_limit else 1.0
        if len(line.bounds) > 1 or not _comparable(line.bounds[0], self._limit):
            return 1.0
        if abs(line.bounds[0].value - self._limit.value) < 1e-9:
            return 0.0
        return OTHER_LIMIT if self._vouched(context, named=named) else 1.0

    def _vouched(self, context: Context, *, named: bool) -> bool:
        """Whether something other than the figure says that this line is meant."""
        if self._saying.word:
            return named
        return not self._near or bool(self._near & context.tags)


def _comparable(one: Bound, other: Bound) -> bool:
    return one.sign == other.sign and one.unit == other.unit


def _place(words: str) -> _Place | None:
    if not words:
        return None
    parts = words.split()
    return _Place(
        frozenset(part.lstrip("+") for part in parts if part[0] != "#"),
        frozenset(part.lstrip("#") for part in parts if part[0] != "+"),
    )


def _way(words: str, allowed: Iterable[str]) -> _Way:
    groups = tuple(frozenset(part.split("|")) for part in words.lstrip("~^?").split())
    return _Way(
        groups,
        frozenset(chain(allowed, *groups)),
        loose="~" in words or "?" in words,
        placed="?" in words,
        first="^" in words,
    )


def _said(way: _Way, line: Line, spoken: set[str], *, near: bool) -> float:
    """How well the line's words fit one way of saying; 0 where a concept is missing or one forbids it."""
    missing = [group for group in way.groups if group.isdisjoint(spoken)]
    if any(group.isdisjoint(line.aside) for group in missing) or len(missing) == len(way.groups):
        return 0.0
    if way.first and line.concepts[0] not in way.groups[0]:
        return 0.0
    if line.vetoed - way.explained or (way.placed and not near) or (way.loose and line.order):
        return 0.0
    cost = IN_PASSING * len(missing)
    foreign = len(spoken - way.explained)
    cost += FOREIGN * foreign
    cost += FOREIGN_ASIDE * min(MOST_ASIDE, len(set(line.aside) - way.explained))
    cost += STRANGE[min(len(way.groups), len(STRANGE) - 1)] * len(line.strange)
    cost += STRANGE_ASIDE * len(line.strange_aside)
    support = NEAR if near and not foreign else 0.0
    return max(0.0, min(SURE, (LOOSE if way.loose else SURE) - cost + support))
