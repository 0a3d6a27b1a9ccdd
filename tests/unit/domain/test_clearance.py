"""Only a GO that stands clears a release, from T-0 on and for minutes, and for nothing else."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import IMAGE, START, RecordBuilder, signer, trust_root
else:
    from record_builder import IMAGE, START, RecordBuilder, signer, trust_root

from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical, timestamp
from tminus.domain.clearance import LASTS, Clearance, admit, clearance, clearance_statement, read_clearance
from tminus.domain.rollout import NO_TARGET
from tminus.errors import OutOfSequenceError, RecordError, RefusedError
from tminus.signing import open_envelope, sign_statement

T0 = START + 3600
OTHER = "f" * 64


def record_of() -> RecordBuilder:
    """A launch that says where it takes place, up to its poll."""
    return RecordBuilder().up_to_poll(environment="staging")


def gone() -> RecordBuilder:
    """The same with GO."""
    return RecordBuilder().up_to_go(environment="staging")


def given(record: RecordBuilder, now: float = T0) -> Clearance | None:
    return clearance(record.events, now)


def cleared(now: float = T0) -> Clearance:
    found = given(gone(), now)
    assert found is not None
    return found


def ended(outcome: str, **more: Any) -> RecordBuilder:
    record = gone()
    record.add("launch.ended", {"outcome": outcome, **more})
    return record


def test_go_clears_the_digests_that_were_decided_upon_from_t_0_on() -> None:
    record = gone()
    found = given(record)
    assert found == Clearance(
        "depot-2",
        "staging",
        {"depot": IMAGE},
        record.events[-1].digest,
        timestamp(T0),
        timestamp(T0),
        timestamp(T0 + LASTS),
    )


@pytest.mark.parametrize(
    ("record", "now"),
    [
        (record_of(), T0),
        (gone(), T0 - 1),
    ],
    ids=["nobody has decided", "T-0 is ahead"],
)
def test_it_may_still_come(record: RecordBuilder, now: float) -> None:
    assert given(record, now) is None


def no_go() -> RecordBuilder:
    record = record_of()
    record.decide("no-go", reason="tests are red", category="quality")
    return record


def ordered(order: str) -> RecordBuilder:
    record = gone()
    record.add("order.taken", {"order": order, "by": "Cleo Chief", "reason": "the office burns"})
    return record


def called_off_and_ended() -> RecordBuilder:
    """As an earlier tminus ended it, whose rule did not say that a person had come first."""
    record = ordered("abort")
    record.add("launch.ended", {"outcome": "aborted", "rule": NO_TARGET})
    return record


@pytest.mark.parametrize(
    "record",
    [
        no_go(),
        ordered("abort"),
        ordered("rollback"),
        ended("aborted", rule="person.abort"),
        called_off_and_ended(),
        ended("rolled-back", rule="a1"),
        RecordBuilder().complete(environment="staging"),
        ended("abandoned"),
    ],
)
def test_where_no_go_stands_there_is_none(record: RecordBuilder) -> None:
    with pytest.raises(OutOfSequenceError, match="no GO stands"):
        given(record)


def test_a_launch_that_has_no_target_of_its_own_clears_what_others_deploy() -> None:
    record = ended("aborted", rule=NO_TARGET, text="this launch has no target")
    found = given(record, T0 + 60)
    assert found is not None
    assert found.release == {"depot": IMAGE}


def test_go_is_over_some_minutes_after_t_0() -> None:
    assert given(gone(), T0 + LASTS - 1)
    with pytest.raises(OutOfSequenceError, match=r"T\+00:15:00"):
        given(gone(), T0 + LASTS)


@pytest.mark.parametrize(
    ("wanted", "environment", "now", "words"),
    [
        ({"depot": OTHER}, "staging", T0, "not cleared"),
        ({"depot": IMAGE, "mailer": OTHER}, "staging", T0, "for mailer it is nothing"),
        ({"depot": IMAGE}, "production", T0, "for staging, not for production"),
        ({"depot": IMAGE}, "staging", T0 - 1, "holds from"),
        ({"depot": IMAGE}, "staging", T0 + LASTS, "has ended"),
    ],
)
def test_nothing_else_is_admitted(wanted: dict[str, str], environment: str, now: float, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        admit(cleared(), wanted, environment, now)


def test_a_launch_that_says_not_where_it_takes_place_clears_nothing() -> None:
    with pytest.raises(RecordError, match="environment"):
        given(RecordBuilder().up_to_go())


def test_what_is_cleared_is_admitted_until_the_last_moment() -> None:
    admit(cleared(), {"depot": IMAGE}, "staging", T0)
    admit(cleared(), {"depot": IMAGE}, "staging", T0 + LASTS - 0.001)


def envelope(key: str = "server", seed: str = "ours", **changes: Any) -> Json:
    return sign_statement(signer(key, seed), clearance_statement(replace(cleared(), **changes)))


def test_who_has_the_trust_root_reads_what_the_server_signed() -> None:
    assert read_clearance(open_envelope(envelope()), trust_root()) == cleared()


def altered(change: Callable[[dict[str, Any]], None]) -> Json:
    whole: dict[str, Any] = dict(envelope())
    payload = json.loads(base64.b64decode(str(whole["payload"])))
    change(payload)
    return {**whole, "payload": base64.b64encode(canonical(payload)).decode()}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: envelope(seed="a stranger's"), "not in the trust root"),
        (lambda: envelope("Cleo Chief"), "cannot sign as server"),
        (lambda: envelope(given_at=timestamp(T0 - 1)), "given when it did not hold"),
        (lambda: envelope(given_at=timestamp(T0 + LASTS)), "given when it did not hold"),
        (lambda: altered(lambda it: it["subject"][0]["digest"].update(sha256=OTHER)), "signature"),
        (lambda: altered(lambda it: it["predicate"].update(environment="production")), "signature"),
    ],
)
def test_what_the_server_did_not_sign_so_is_refused(made: Callable[[], Json], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_clearance(open_envelope(made()), trust_root())


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(predicateType="https://tminus.dev/decision/v1"),
        lambda it: it["predicate"].update(more="x"),
        lambda it: it["predicate"].pop("ends"),
        lambda it: it["subject"][0].update(uri="x"),
    ],
    ids=["another statement", "a field more", "a field less", "another subject"],
)
def test_what_is_no_clearance_is_refused_although_it_is_signed(
    change: Callable[[dict[str, Any]], None],
) -> None:
    statement: dict[str, Any] = json.loads(json.dumps(clearance_statement(cleared())))
    change(statement)
    with pytest.raises(RecordError):
        read_clearance(open_envelope(sign_statement(signer("server"), statement)), trust_root())
