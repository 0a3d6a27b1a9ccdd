"""What people say of single lines, signed: an attestation, a waiver's request and approval, an acknowledgement.

The same functions build a statement before it is signed and rebuild it when a record is verified.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tminus.domain import fields, offsets
from tminus.domain.attestation import STATEMENT, Json
from tminus.domain.canonical import JsonValue, plain
from tminus.domain.evidence import Source, Verdict, fingerprint
from tminus.domain.overdue import ITEM, LATE, harmless
from tminus.domain.record import Event

ATTESTATION = "https://tminus.dev/attestation/v1"
REQUEST = "https://tminus.dev/waiver-request/v1"
WAIVER = "https://tminus.dev/waiver/v1"
ACKNOWLEDGEMENT = "https://tminus.dev/acknowledgement/v1"
DELEGATION = "https://tminus.dev/delegation/v1"
EXPEDITION = "https://tminus.dev/expedition/v1"

ATTESTED = "check.attested"
"""A person's word for a line: its claim from now on."""
REQUESTED = "waiver.requested"
"""Somebody asks that a line may stand as it is; it changes nothing until another approves it."""
WAIVED = "check.waived"
"""The approval: the line does not close a gate until the waiver ends. Its verdict stays."""
ACKNOWLEDGED = "warning.acknowledged"
"""A person has seen that a blocker is warned, and says why it may go so; without it, it keeps GO from being given."""

LONGEST = 24 * 3600.0
"""Seconds after T-0 at which a waiver ends at the latest."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """One person's word for one line."""

    launch: str
    check: str
    role: str
    person: str
    holds: bool
    """Whether the line is as it should be, by this person's word."""
    statement: str
    version: int
    """How many words were given for this line in this launch, this one included."""
    signed_at: str
    evidence: str = ""
    """SHA-256 of a file that shows it, in hex; empty without one."""
    source: str = ""
    """What the file was called, or the address it was fetched from."""
    confirms: str = ""
    """For a second person: the digest of the line of the record that holds the first one's word."""
    item: str = ""
    """Which of `each` it is about; empty where a single word says it all."""
    each: tuple[str, ...] = ()
    """All that the line asks for, one word of each."""
    late_s: int = 0
    """By how many seconds it came after the time by which it had to be said."""


@dataclass(frozen=True, slots=True)
class Request:
    """One person's wish that a line may stand as it is."""

    launch: str
    check: str
    role: str
    person: str
    because: str
    risk: str
    """What may go wrong by it."""
    compensating: str
    """What is done instead, so that it does less harm."""
    until: str
    signed_at: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Another person's approval of such a wish."""

    launch: str
    check: str
    role: str
    person: str
    request: str
    """The digest of the line of the record that holds the wish."""
    signed_at: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One person's word that a blocker may go although it is warned."""

    launch: str
    check: str
    role: str
    person: str
    because: str
    fingerprint: str
    """Of the claim that was acknowledged; any other claim of the line voids it."""
    signed_at: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Delegation:
    """One person's word that another acts for their role in this launch."""

    launch: str
    role: str
    person: str
    """Whom the plan names."""
    to: str
    """Who acts from now on, as the trust root names them."""
    because: str
    signed_at: str
    email: str = ""
    """Where they are told from now on; empty where nobody has said."""


@dataclass(frozen=True, slots=True)
class Expedition:
    """One person's word that a launch takes the plan's shorter form."""

    launch: str
    role: str
    person: str
    because: str
    signed_at: str
    confirms: str = ""
    """For the second person: the digest of the line of the record that holds the wish."""


Word = Attestation | Request | Waiver | Acknowledgement | Delegation | Expedition
_TYPES: Mapping[type, str] = {
    Attestation: ATTESTATION,
    Request: REQUEST,
    Waiver: WAIVER,
    Acknowledgement: ACKNOWLEDGEMENT,
    Delegation: DELEGATION,
    Expedition: EXPEDITION,
}
_WHERE_SAID = frozenset({"email", "item", "each", "late_s"})
"""What stands in the signed text only where somebody has said it."""
W = TypeVar("W", Attestation, Request, Waiver, Acknowledgement, Delegation, Expedition)


def word_statement(word: Word, opened: str) -> Json:
    """What the person signs; `opened` is the digest of the record's first line, which binds it to this launch."""
    about = word.role if isinstance(word, Delegation | Expedition) else word.check
    subject: list[JsonValue] = [{"name": about, "digest": {"sha256": opened}}]
    if isinstance(word, Attestation) and word.evidence:
        subject.append({"name": word.source, "digest": {"sha256": word.evidence}})
    return {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": _TYPES[type(word)],
        "predicate": {
            name: [*value] if isinstance(value, tuple) else value
            for name in word.__slots__
            if (value := getattr(word, name)) or name not in _WHERE_SAID
        },
    }


def read_word(kind: type[W], predicate: Mapping[str, object]) -> W:
    """The person's own words in a signed predicate; raises `RecordError` naming the field that is wrong."""
    known = [name for name in kind.__slots__ if name not in _WHERE_SAID or name in predicate]
    fields.exactly(predicate, known)
    values: dict[str, Any] = {}
    for name in known:
        if name in {"holds", "simulated"}:
            values[name] = fields.flag(predicate, name)
        elif name in {"version", "late_s"}:
            values[name] = fields.number(predicate, name)
        elif name == "each":
            values[name] = tuple(fields.texts(predicate, name))
        elif name in {"evidence", "source", "confirms"} and predicate[name] == "":
            values[name] = ""
        else:
            values[name] = fields.text(predicate, name)
    return kind(**values)


NO_OTHERS: Mapping[str, Attestation] = {}


def attested_claim(
    word: Attestation,
    first: Attestation | None,
    *,
    blocker: bool,
    others: Mapping[str, Attestation] = NO_OTHERS,
) -> Json:
    """The claim that a word makes, by the rule that a blocker needs two persons; `first` is the word it confirms.

    `others` has the newest word for each other item of its line: one that does not hold, or came too late, fails it,
    and it passes with the last that was missing. The same words about the same files make the same fingerprint,
    whenever they are said.
    """
    every = [*_besides(word, others), word]
    if any(not one.holds or one.late_s for one in every):
        verdict = Verdict.FAILED
    elif (blocker and first is None) or still(word, others):
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASSED
    people = sorted({one.person for one in every} | ({first.person} if first else set()))
    material: Json = {"people": [*people], "statement": word.statement, "evidence": word.evidence}
    if word.each:
        said = {one.item: [one.statement, one.evidence] for one in every}
        material = {"people": [*people], "said": {item: [*said[item]] for item in word.each if item in said}}
    return {
        "check": word.check,
        "verdict": verdict.value,
        "fingerprint": fingerprint(verdict, "", material),
        "source": Source.PERSON.value,
    }


def tells_harm(claim: Mapping[str, object], words: Mapping[str, object], *, closes: bool) -> bool:
    """Whether a word brings a launch back: it fails a line that closes something after T-0, and not by being late."""
    seen = words["seen"]
    assert isinstance(seen, dict)  # noqa: S101 - `attested_words` wrote it
    return closes and claim["verdict"] == Verdict.FAILED and not harmless(seen)


def is_harm(event: Event) -> bool:
    """Whether this is such a word, as the record has it."""
    return event.type == ATTESTED and event.data.get("harm") is True


def in_time(before: Attestation | None, *, blocker: bool) -> bool:
    """Whether the same was said in time before, so that nobody is late who says it again."""
    return (
        before is not None and before.holds and not before.late_s and (not blocker or bool(before.confirms))
    )


def still(word: Attestation, others: Mapping[str, Attestation]) -> list[str]:
    """What nobody has spoken of yet, this word counted, in the order of the line."""
    said = {word.item, *(one.item for one in _besides(word, others))}
    return [item for item in word.each if item not in said]


def _besides(word: Attestation, others: Mapping[str, Attestation]) -> list[Attestation]:
    """The words for other items that the line asks for; a word said again replaces what was said before."""
    return [others[item] for item in word.each if item != word.item and item in others]


def attested_words(
    word: Attestation,
    first: Attestation | None,
    *,
    blocker: bool,
    others: Mapping[str, Attestation] = NO_OTHERS,
) -> Json:
    """What the record says of a word to whoever does not open its envelope; see `attested_claim`."""
    why = _said(word)
    if first is not None:
        why = f"{why}, confirming {first.person}"
    elif blocker and word.holds:
        why = f"{why}; a second person has to confirm it"
    against = [one for one in _besides(word, others) if not one.holds or one.late_s]
    why = "; ".join([why, *map(_said, against)])
    if lacking := still(word, others):
        why = f"{why}; nobody has spoken yet of {', '.join(lacking)}"
    about: Json = {ITEM: word.item} if word.item else {}
    every = [*_besides(word, others), word]
    # Only where nothing else fails it: whoever sees harm is heard, also when it is told late.
    overdue = max(one.late_s for one in every) if all(one.holds for one in every) else 0
    late: Json = {LATE: overdue} if overdue else {}
    return {
        "value": word.statement,
        "why": why,
        "seen": {
            "person": word.person,
            "version": word.version,
            "file": word.source,
            "sha256": word.evidence,
            **about,
            **late,
        },
        "by": word.person,
    }


def _said(word: Attestation) -> str:
    of = f" of {word.item}" if word.item else ""
    late = f" ({offsets.length(word.late_s)} after it had to be said)" if word.late_s else ""
    return f"{word.person}{of}: {word.statement}{late}"


def shown_files(events: Iterable[Event]) -> dict[str, str]:
    """The files that people showed with their words: by SHA-256, what each was called."""
    found: dict[str, str] = {}
    for event in events:
        seen = event.data.get("seen") if event.type == ATTESTED else None
        if isinstance(seen, dict) and seen.get("sha256"):
            found[str(seen["sha256"])] = str(seen.get("file", ""))
    return found


def waiver_row(request: Request, waiver: Waiver) -> Json:
    """What a waiver says in the record and in the evidence that people sign: all of it but the signature."""
    return {
        "check": request.check,
        "by": request.person,
        "because": request.because,
        "risk": request.risk,
        "compensating": request.compensating,
        "until": request.until,
        "approved_by": waiver.person,
        "role": waiver.role,
        "request": waiver.request,
    }


def acknowledged_row(word: Acknowledgement) -> Json:
    """What an acknowledgement says in the record and in the evidence that people sign: all of it but the signature."""
    return {
        "check": word.check,
        "by": word.person,
        "role": word.role,
        "because": word.because,
        "fingerprint": word.fingerprint,
        "simulated": word.simulated,
    }


def row_of(data: Mapping[str, object]) -> Json:
    """The same row, from the data of a `check.waived` event."""
    return plain({name: value for name, value in data.items() if name != "envelope"})
