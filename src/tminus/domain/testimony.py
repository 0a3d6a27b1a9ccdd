"""Do the words that people gave for single lines hold? All of a record, read one after the other.

`verification` calls it with each such event; whose key signed is checked there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.domain import fields
from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical, instant, written_so
from tminus.domain.compared import said
from tminus.domain.offsets import clock
from tminus.domain.overdue import ends, is_promotion
from tminus.domain.people import alike
from tminus.domain.policy import Asked, Opened
from tminus.domain.record import Event
from tminus.domain.report import SignedStatement
from tminus.domain.words import (
    LONGEST,
    Acknowledgement,
    Attestation,
    Request,
    Waiver,
    Word,
    acknowledged_row,
    attested_claim,
    attested_words,
    in_time,
    read_word,
    row_of,
    tells_harm,
    waiver_row,
    word_statement,
)
from tminus.errors import RecordError

_ROUNDED = 1.0
"""How many seconds two readings of one lateness may differ, each rounded down."""
_HINT = "do not rely on this launch: its record does not prove what it says"


@dataclass(slots=True)
class Testimony:
    """The words read so far, by the digest of their line."""

    attested: dict[str, Attestation] = field(default_factory=dict)
    requested: dict[str, Request] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    """The files that people showed: by digest, what each was called."""
    acknowledged: dict[str, Json] = field(default_factory=dict)
    """By line: the acknowledgement of its warning that stands."""

    reached: dict[str, int] = field(default_factory=dict)
    """By milestone: when it was reached, in milliseconds from T-0."""
    promoted: bool = False
    """Whether all users are on green."""
    harmed: str = ""
    """The line of which somebody told harm; such a launch goes back."""

    def attest(self, event: Event, signed: SignedStatement, rules: Opened) -> Attestation:
        """`check.attested`: the claim is the one that the signed words make."""
        word = read_word(Attestation, _predicate(signed))
        _check_signed(word, signed, rules)
        first = self._confirmed(word) if word.confirms else None
        _check_asked(word, rules, first=first is None)
        self._check_whole(word, event, rules.asked_of(word.check))
        blocker, others = rules.blocks(word.check), self._others(word)
        claim = attested_claim(word, first, blocker=blocker, others=others)
        words, asked = attested_words(word, first, blocker=blocker, others=others), rules.asked_of(word.check)
        said(event.data, claim | words, *claim)
        closes = asked.due_ms > 0 and not asked.advisory
        if event.data.get("harm", False) is not tells_harm(claim, words, closes=closes):
            raise RecordError(f"the word for {word.check} does not say whether it brings back", hint=_HINT)
        self.harmed = self.harmed or (word.check if event.data.get("harm") else "")
        self.attested[event.digest] = word
        if word.evidence:
            self.evidence[word.evidence] = word.source
        return word

    def observe(self, claim: Mapping[str, object]) -> None:
        """A line has a claim: an acknowledgement of any other is void."""
        seen = self.acknowledged.get(str(claim["check"]))
        if seen is not None and seen["fingerprint"] != claim["fingerprint"]:
            del self.acknowledged[str(claim["check"])]

    def authors(self) -> dict[str, set[str]]:
        """By line: everybody who gave their word for it."""
        found: dict[str, set[str]] = {}
        for word in self.attested.values():
            found.setdefault(word.check, set()).add(word.person)
        return found

    def forget(self, check: str) -> None:
        """A new date has voided what was said of this line: nobody can confirm it any more."""
        self.attested = {digest: word for digest, word in self.attested.items() if word.check != check}

    def reach(self, event: Event) -> None:
        """`milestone.reached`: from now on people can be asked for what is due then."""
        if event.t_ms is not None:
            self.reached[fields.text(event.data, "milestone")] = event.t_ms

    def step(self, event: Event) -> None:
        """`step.started`, `step.done`: once all users are on green, people can say how green does."""
        self.promoted = self.promoted or is_promotion(event)

    def end(self, outcome: str) -> None:
        """`launch.ended`: nothing lands over harm that somebody told."""
        if outcome == "landed" and self.harmed:
            raise RecordError(f"landed over harm that was told of {self.harmed}", hint=_HINT)

    def _check_whole(self, word: Attestation, event: Event, asked: Asked) -> None:
        """A word speaks of what its line asks for, with a file of its own where it needs one, and how late it is."""
        if word.each != asked.each or (word.item not in word.each if word.each else word.item):
            raise RecordError(f"{word.check} asks for no word of {word.item or 'the whole'}", hint=_HINT)
        if asked.shown and word.holds and not word.evidence:
            raise RecordError(f"{word.check} needs a file that shows it, and none was shown", hint=_HINT)
        beside = [one for item, one in self._others(word).items() if item != word.item]
        if asked.due_ms > 0 and word.holds and not self.promoted:
            raise RecordError(f"{word.check} is said of green before all users were on it", hint=_HINT)
        if asked.shown and word.holds and any(one.evidence == word.evidence for one in beside):
            raise RecordError(f"{word.check} shows one file for two of its things", hint=_HINT)
        reached = self.reached.get(clock(asked.due_ms / 1000))
        over, again = 0, in_time(self._before(word), blocker=asked.blocker)
        if asked.until_ms is not None and event.t_ms is not None and reached is not None and not again:
            over = max(0, event.t_ms - round(ends(asked.due_ms, asked.until_ms, reached)))
        if word.late_s < 0 or abs(word.late_s - over / 1000) > _ROUNDED:
            said = f"the word for {word.check} is {over / 1000:g} s late, and says {word.late_s} s"
            raise RecordError(said, hint=_HINT)

    def _before(self, word: Attestation) -> Attestation | None:
        """The newest word for the same thing."""
        return next(
            (
                one
                for one in reversed([*self.attested.values()])
                if (one.check, one.item) == (word.check, word.item)
            ),
            None,
        )

    def _others(self, word: Attestation) -> Mapping[str, Attestation]:
        """The newest word for each item of a line."""
        return {one.item: one for one in self.attested.values() if one.check == word.check and one.item}

    def _confirmed(self, word: Attestation) -> Attestation:
        first = self.attested.get(word.confirms)
        if first is None or first.check != word.check:
            raise RecordError("it confirms what nobody said of this line", hint=_HINT)
        if alike(first.person) == alike(word.person):
            raise RecordError(f"{word.person} confirms their own word", hint=_HINT)
        if (first.statement, first.holds) != (word.statement, word.holds):
            raise RecordError("it confirms other words than were said", hint=_HINT)
        return first

    def request(self, event: Event, signed: SignedStatement, rules: Opened) -> Request:
        """`waiver.requested`: it changes nothing by itself."""
        word = read_word(Request, _predicate(signed))
        _check_signed(word, signed, rules)
        instant(word.until)
        words = {
            name: getattr(word, name)
            for name in ("check", "role", "because", "risk", "compensating", "until")
        }
        said(event.data, {**words, "by": word.person}, *words, "by")
        self.requested[event.digest] = word
        return word

    def waive(
        self, event: Event, signed: SignedStatement, rules: Opened, schedule: Mapping[str, object]
    ) -> Waiver:
        """`check.waived`: another person approved exactly what was requested, and not for longer than a day."""
        word = read_word(Waiver, _predicate(signed))
        _check_signed(word, signed, rules)
        request = self.requested.get(word.request)
        if request is None or request.check != word.check:
            raise RecordError("it approves a waiver that nobody requested", hint=_HINT)
        if alike(request.person) == alike(word.person):
            raise RecordError(f"{word.person} approved a waiver of their own", hint=_HINT)
        _check_judge(word.person, word.role, word.check, rules)
        if (line := rules.line(word.check)) and line.blocker:
            raise RecordError(f"{word.check} is a blocker, which nobody may waive", hint=_HINT)
        if row_of(event.data) != waiver_row(request, word):
            raise RecordError("the waiver is not the one that was requested and approved", hint=_HINT)
        if instant(request.until) > instant(fields.text(schedule, "t0")) + LONGEST:
            raise RecordError(f"the waiver ends at {request.until}, later than a day after T-0", hint=_HINT)
        return word

    def acknowledge(
        self, event: Event, signed: SignedStatement, rules: Opened, claim: Mapping[str, object] | None
    ) -> Acknowledgement:
        """`warning.acknowledged`: somebody who signs or decides, not the line's owner, saw this very claim."""
        word = read_word(Acknowledgement, _predicate(signed))
        _check_signed(word, signed, rules)
        if canonical(row_of(event.data)) != canonical(acknowledged_row(word)):
            raise RecordError("the acknowledgement is not the one that was signed", hint=_HINT)
        if word.simulated and rules.production:
            raise RecordError(f"{word.person} is simulated, but the plan is marked production", hint=_HINT)
        if claim is None or (claim["verdict"], claim["fingerprint"]) != ("warned", word.fingerprint):
            raise RecordError(f"it acknowledges a warning that {word.check} does not have", hint=_HINT)
        _check_judge(word.person, word.role, word.check, rules)
        self.acknowledged[word.check] = row_of(event.data)
        return word


def _check_asked(word: Attestation, rules: Opened, *, first: bool) -> None:
    """A line that a person answers for; the first word is its owner's, the second that of anybody else."""
    asks = rules.asks_for_a_word(word.check)
    if asks is False:
        raise RecordError(f"no person is asked for {word.check}", hint=_HINT)
    owner = rules.owner(word.check)
    if first and asks and alike(word.person) != alike(owner):
        raise RecordError(f"{word.person} gave their word for {word.check}, which is {owner}'s", hint=_HINT)


def _check_judge(person: str, role: str, check: str, rules: Opened) -> None:
    """What somebody approves or acknowledges is not of their own line, and they sign or decide."""
    if role not in {*rules.signers, *rules.deciders}:
        raise RecordError(f"{role} neither signs nor decides", hint=_HINT)
    if alike(person) == alike(rules.owner(check)):
        raise RecordError(f"{check} is {person}'s own line: another has to judge it", hint=_HINT)


def _predicate(signed: SignedStatement) -> Mapping[str, object]:
    return fields.table(signed.statement, "predicate")


def _check_signed(word: Word, signed: SignedStatement, rules: Opened) -> None:
    """The statement is what these words make of it, for this launch and by a person whom its plan names."""
    if word.launch != rules.launch:
        raise RecordError(f"signed for launch {word.launch!r}, not for {rules.launch!r}", hint=_HINT)
    if not written_so(word_statement(word, rules.digest), signed.payload):
        raise RecordError("the signed text is not what these words make", hint=_HINT)
    rules.check_role(word.person, word.role)
