"""A checklist as it was read: every box, what stands around it, and where each byte of it is.

Offsets are bytes of the file, so that a copy can be written that differs in nothing but what was meant. Text is for
people: repaired where it was decoded wrongly once, without markup.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """What a box looks like in the file."""

    LIST = "list"
    """`- [ ]` with any list marker."""
    TABLE = "table"
    """`[ ]` in a table's cell; read when asked for."""
    BALLOT = "ballot"
    """☐, ☑ or ✅ at the beginning of a list item, a cell or a paragraph's line; read when asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the file's bytes, the end excluded."""

    start: int
    end: int


class Measure(StrEnum):
    """What a limit in a line is about, as far as the text says."""

    SHARE = "share"
    """A part of a whole: 5 % is 0.05."""
    SECONDS = "seconds"
    """A duration."""
    COUNT = "count"
    """A bare number."""
    RATE = "rate"
    """Per second."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold that a line states, in SI units: `p95 >500ms for 5 minutes` is above 0.5 seconds, held 300."""

    sign: str
    """`>`, `>=`, `<` or `<=`."""
    value: float
    measure: Measure
    hold: float = 0.0
    """Seconds it must last; 0 where the text does not say."""
    quantile: float | None = None
    """0.95 for p95."""


@dataclass(frozen=True, slots=True)
class Item:
    """One box."""

    line: int
    """In the file, from 1."""
    text: str
    """One line of plain text."""
    checked: bool
    section: tuple[str, ...]
    """The headings above it, outermost first, without emoji."""
    parent: int | None
    """The index of the box that this one is nested under."""
    form: Form
    mark: Span
    """What stands between the brackets, or the ballot character itself."""
    end: int
    """The byte behind the last one of the box's own text on its line, before trailing blanks and the line's end."""
    due: float | None = None
    """Seconds from T-0 that its headings or its own words name."""
    limits: tuple[Limit, ...] = ()
    owner: str = ""
    """Who answers for it, where the text says so (`@name`, `Owner: …`, `(QA)`)."""
    date: str = ""
    """A date that the text gives, as an ISO day."""
    optional: bool = False
    """Whether the text says that it may be left out ("optional", "if needed")."""
    group: str = ""
    """What introduces its list, where that is no heading: `Critical path`, or the point that it stands under."""


@dataclass(frozen=True, slots=True)
class Blank:
    """A place that waits for somebody to fill it: underscores, `[Name]`, `TBD`, `+49-xxx-…`."""

    line: int
    label: str
    """What belongs there, in the file's words: `Date`, `Reason (if NO-GO)`, `Phone`."""
    text: str
    """What stands there now."""
    span: Span
    owner: str = ""
    """The role, box or person that it belongs to: `DevOps Lead`."""


@dataclass(frozen=True, slots=True)
class Card:
    """A named entry with fields, such as a role or a contact: `Name`, `Phone`, `Email`."""

    line: int
    title: str
    section: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    """By label: `name`, `phone`, `email`, `role`, … whatever the file's language; values as they stand."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A line that is no box and yet says something: a trigger, a criterion's preface, a test figure, a date."""

    line: int
    text: str
    label: str
    """What it stands under or before its colon: `Rollback Triggers`, `P95 latency`, `Last Updated`."""
    section: tuple[str, ...]
    """The headings above it, and the words that introduce its list where they are no heading."""
    limits: tuple[Limit, ...] = ()
    value: float | None = None
    """The first number of a figure, in SI units: `87%` is 0.87, `156/156` is 156."""
    measure: Measure | None = None
    total: float | None = None
    """Of a figure such as `1,234/1,234`: how many there were."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A pair of inline boxes, GO and NO-GO."""

    line: int
    go: Span
    no_go: Span


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading."""

    line: int
    level: int
    text: str
    """Repaired, without emoji and markup."""
    due: float | None = None
    """Seconds from T-0 that it names: `T-24 Hours`, `Day -1`, `2 h before`."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A whole file."""

    sha256: str
    items: tuple[Item, ...]
    headings: tuple[Heading, ...]
    blanks: tuple[Blank, ...]
    roles: tuple[Card, ...]
    contacts: tuple[Card, ...]
    signatures: tuple[int, ...]
    """Indexes of the items that are sign-off lines."""
    triggers: tuple[Statement, ...]
    figures: tuple[Statement, ...]
    document: tuple[Statement, ...]
    """Last updated, next review, owner of the document."""
    decisions: tuple[Decision, ...]
    fenced: int
    """Boxes in code fences, which are no items."""
    repaired: int
    """Lines that were decoded wrongly once and were repaired for reading."""
    undecodable: int
    """Bytes that are no UTF-8; they stay as they are."""
    bom: bool
    newline: str
    """`lf`, `crlf` or `mixed`."""
    left: int = 0
    """Boxes in tables and ballots that were seen and not asked for."""
    odd: int = 0
    """Points that begin like a box and are none, such as `[-]` or `[]`."""
