"""Over any history exactly the signatures that covered a change are void, and whoever verifies finds the same."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0
    from tests.unit.polls import Polled
    from tests.unit.record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root
else:
    from courses import HOUR, PLAN, T0
    from polls import Polled
    from record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root

from tminus.domain.attestation import claim_data
from tminus.domain.evidence import Claim, Source, Verdict, fingerprint
from tminus.domain.orders import Act
from tminus.domain.poll import void, votes
from tminus.errors import RecordError

LINES = tuple(check.id for check in PLAN.before_go())
ROLES = ("devops", "qa", "cto")

Covered = dict[str, object]
"""What a signature covers: the claim of each line, and of each waived one its waiver beside it."""


@dataclass
class History:
    """A launch, and beside it, kept in another way, what each signature covers."""

    launch: Polled = field(default_factory=lambda: Polled(now=T0 - 600))
    claims: Covered = field(default_factory=dict)
    waived: Covered = field(default_factory=dict)
    signed: dict[str, tuple[Covered, Covered]] = field(default_factory=dict)
    dates: int = 0

    def look(self, check: str, verdict: Verdict, about: int, source: Source) -> None:
        self.launch.observe(check, verdict, about, source)
        self.claims[check] = (verdict, about)

    def not_apply(self, check: str) -> None:
        at = self.launch.now
        seen = fingerprint(Verdict.PASSED, "", {})
        claim = Claim(check, Verdict.PASSED, seen, Source.PLAN, at, -60.0, not_applicable=True)
        self.launch.seen[check] = claim
        self.launch.add("check.observed", **claim_data(claim))
        self.claims[check] = "does not apply"

    def look_again(self) -> None:
        """Every line once more, with the same result: the time alone is another."""
        self.launch.now += 1
        for claim in self.launch.seen.values():
            self.launch.add("check.observed", **claim_data(claim), why=f"seen at {self.launch.now}")

    def waive(self, check: str, until: int) -> None:
        self.launch.waive(check, T0 + until * HOUR)
        self.waived[check] = until

    def end_waiver(self, check: str) -> None:
        if self.waived.pop(check, None) is not None:
            self.launch.add("waiver.ended", check=check)

    def acknowledge(self, check: str) -> None:
        if check in self.launch.seen:
            self.launch.acknowledge(check)

    def sign(self, role: str, word: str) -> None:
        self.launch.sign(role, word)
        self.signed[role] = (dict(self.claims), dict(self.waived))

    def poll(self) -> None:
        self.launch.show("poll.opened")
        self.signed.clear()

    def reschedule(self) -> None:
        self.dates += 1
        self.launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR + self.dates)
        self.signed.clear()
        self.poll()

    def expected(self) -> dict[str, set[str]]:
        """By role: the lines that are otherwise than it signed."""
        found = {}
        for role, (claims, waived) in self.signed.items():
            changed = {check for check, then in claims.items() if self.claims[check] != then}
            changed |= {
                check
                for check in waived.keys() | self.waived.keys()
                if waived.get(check) != self.waived.get(check)
            }
            if changed:
                found[role] = changed
        return found

    def found(self) -> dict[str, set[str]]:
        said = void(self.launch.events, self.launch.evidence)
        return {role: {change.check for change in changed} for role, changed in said.items()}


_line = st.sampled_from(LINES)
MOVES = st.one_of(
    st.tuples(st.just("look"), _line, st.sampled_from(Verdict), st.integers(0, 1), st.sampled_from(Source)),
    st.tuples(st.just("not_apply"), _line),
    st.tuples(st.just("look_again")),
    st.tuples(st.just("waive"), _line, st.integers(1, 2)),
    st.tuples(st.just("end_waiver"), _line),
    st.tuples(st.just("acknowledge"), _line),
    st.tuples(st.just("sign"), st.sampled_from(ROLES), st.sampled_from(["go", "no-go"])),
    st.tuples(st.just("poll")),
    st.tuples(st.just("reschedule")),
)


@given(st.lists(MOVES, max_size=25))
def test_over_any_history_exactly_what_covered_a_change_is_void(moves: list[tuple[Any, ...]]) -> None:
    history = History()
    history.poll()
    for move, *about in moves:
        before = history.found()
        getattr(history, move)(*about)
        assert history.found() == history.expected()
        if move in {"look_again", "acknowledge"}:
            assert history.found() == before, "nothing is materially otherwise"
        assert votes(history.launch.events).keys() == history.signed.keys()


@pytest.mark.parametrize("source", Source)
def test_of_every_kind_the_same_seen_again_voids_none_and_each_change_voids(source: Source) -> None:
    for verdict in Verdict:
        history = History()
        history.look("cfg.maps", verdict, 0, source)
        history.poll()
        history.sign("devops", "go")
        history.look("cfg.maps", verdict, 0, source)
        assert history.found() == {}
        for other in Verdict:
            history.look("cfg.maps", other, 0, source)
            assert history.found() == ({} if other is verdict else {"devops": {"cfg.maps"}})
        history.look("cfg.maps", verdict, 1, source)
        assert history.found() == {"devops": {"cfg.maps"}}


_CHANGES = st.tuples(st.just("look"), st.sampled_from(CHECKS), st.integers(0, 2))
_SIGNS = st.tuples(st.just("sign"), st.sampled_from(tuple(PEOPLE)))


@settings(max_examples=40)
@given(st.lists(st.one_of(_CHANGES, _SIGNS), max_size=12))
def test_a_go_verifies_where_no_signature_is_void_and_nowhere_else(moves: list[tuple[Any, ...]]) -> None:
    record, about = RecordBuilder(), dict.fromkeys(CHECKS, 0)
    signed: dict[str, dict[str, int]] = {}
    record.up_to_poll()
    for check in CHECKS:
        record.observe(check, fingerprint="0" * 64)
    for move in [*moves, *(("sign", role) for role in PEOPLE)]:
        if move[0] == "look":
            record.observe(move[1], fingerprint=str(move[2]) * 64)
            about[move[1]] = move[2]
        elif move in moves or move[1] not in signed:
            _renew(record)
            record.sign(move[1])
            signed[move[1]] = dict(about)
    _renew(record)
    record.decide()
    record.landing()
    if all(covered == about for covered in signed.values()):
        assert record.verify(trust_root()).outcome == "landed"
        return
    with pytest.raises(RecordError, match=r"GO over the sign-off of .* had voided"):
        record.verify(trust_root())


def _renew(record: RecordBuilder) -> None:
    """What is shown from now on is what the record holds by now."""
    record.poll()
    record.add("poll.renewed", dict(record.events.pop().data))
