"""Whoever changes a record is found out: every damaged byte and every forgery is refused, and the place is named."""

import base64
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root
    from tests.unit.whole_records import (
        FILE,
        KINDS,
        LATER,
        ROLES,
        Whole,
        people_builder,
        up_to_first_poll,
        up_to_second_poll,
    )
else:
    from record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root
    from whole_records import (
        FILE,
        KINDS,
        LATER,
        ROLES,
        Whole,
        people_builder,
        up_to_first_poll,
        up_to_second_poll,
    )

from tminus.domain.canonical import canonical, timestamp
from tminus.domain.record import Entry, append, digest
from tminus.domain.verification import verify
from tminus.errors import RecordError
from tminus.signing import open_envelope, verify_file

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@pytest.fixture(scope="module", params=sorted(KINDS))
def whole(request: pytest.FixtureRequest) -> Whole:
    """A record that holds, of both kinds in turn."""
    made = KINDS[request.param]()
    assert verify([made.content], open_envelope, made.trust).outcome == "landed"
    return made


def refusal(whole: Whole, content: bytes) -> str:
    """Why this is refused where that record holds."""
    with pytest.raises(RecordError) as caught:
        verify([content], open_envelope, whole.trust)
    return str(caught.value)


def rechained(lines: list[bytes]) -> list[bytes]:
    """The same events with every `seq` and `prev` made right again, as a forger without keys would."""
    chained: list[bytes] = []
    for line in lines:
        event = json.loads(line)
        event["seq"] = len(chained)
        event["prev"] = digest(chained[-1]) if chained else "0" * 64
        chained.append(canonical(event) + b"\n")
    return chained


class TestDamage:
    def test_500_bytes_changed_one_at_a_time_are_each_refused_with_their_line(self, whole: Whole) -> None:
        draw = random.Random(20260131)
        content = whole.content
        for _ in range(500):
            at = draw.randrange(len(content))
            damaged = bytearray(content)
            damaged[at] ^= draw.randrange(1, 256)
            line = content.count(b"\n", 0, at) + 1
            told = refusal(whole, bytes(damaged))
            named = re.match(r"line (\d+)", told)
            assert named, told
            assert int(named[1]) in {line, line + 1}

    def test_the_last_line_is_covered_too(self, whole: Whole) -> None:
        *before, last = whole.lines
        draw = random.Random(9)
        for at in sorted(draw.sample(range(len(last)), 100)):
            other = last[at] ^ draw.randrange(1, 256)
            damaged = b"".join(before) + last[:at] + bytes([other]) + last[at + 1 :]
            assert refusal(whole, damaged).startswith(f"line {len(whole.lines)}")

    def test_deletions_and_insertions_are_refused(self, whole: Whole) -> None:
        content = whole.content
        draw = random.Random(8)
        for _ in range(80):
            at, length = draw.randrange(len(content)), draw.randrange(1, 9)
            for damaged in (
                content[:at] + content[at + length :],
                content[:at] + draw.randbytes(length) + content[at:],
            ):
                assert refusal(whole, damaged).startswith("line ")

    def test_a_record_cut_or_reordered_at_any_line_is_refused(self, whole: Whole) -> None:
        lines = whole.lines
        for at in range(len(lines) - 1):
            swapped = (*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :])
            doubled = (*lines[: at + 1], lines[at], *lines[at + 1 :])
            for damaged in (lines[:at], lines[at + 1 :], lines[:at] + lines[at + 1 :], swapped, doubled):
                assert refusal(whole, b"".join(damaged)).startswith("line ")

    def test_any_line_changed_with_the_chain_made_right_again_is_refused(self, whole: Whole) -> None:
        for number in range(len(whole.lines) - 1):
            event = json.loads(whole.lines[number])
            event["at"] = "2031-01-01T00:00:00.000Z"
            forged = [*whole.lines[:number], canonical(event) + b"\n", *whole.lines[number + 1 :]]
            assert refusal(whole, b"".join(rechained(forged))).startswith("line ")


def spelled(old: bytes, new: bytes) -> Callable[[list[bytes]], bytes]:
    """The third line with something spelled in another way: the same value to a lenient reader."""

    def change(lines: list[bytes]) -> bytes:
        assert old in lines[2]
        third = lines[2].replace(old, new, 1)
        assert third != lines[2]
        return b"".join([*lines[:2], third, *lines[3:]])

    return change


SPELLINGS: dict[str, tuple[Callable[[list[bytes]], bytes], str]] = {
    "a duplicated key": (spelled(b'"seq":2', b'"seq":2,"seq":2'), r"line 3: the key 'seq' stands twice"),
    "a number with a fraction": (spelled(b'"seq":2', b'"seq":2.0'), r"line 3: byte \d+: not as RFC 8785"),
    "a number with an exponent": (spelled(b'"seq":2', b'"seq":2e0'), r"line 3: byte \d+: not as RFC 8785"),
    "a number with a zero before": (spelled(b'"seq":2', b'"seq":02'), r"line 3: byte \d+: no JSON"),
    "an escaped letter": (spelled(b'"seq":2', b'"\\u0073eq":2'), r"line 3: byte \d+: not as RFC 8785"),
    "a space": (spelled(b'"seq":2', b'"seq": 2'), r"line 3: byte \d+: not as RFC 8785"),
    "keys in another order": (
        lambda lines: b"".join(
            [
                *lines[:2],
                json.dumps(dict(reversed(json.loads(lines[2]).items()))).encode() + b"\n",
                *lines[3:],
            ]
        ),
        r"line 3: byte \d+: not as RFC 8785",
    ),
    "a byte order mark": (lambda lines: b"\xef\xbb\xbf" + b"".join(lines), r"line 1: byte 1: no JSON"),
    "another line end": (
        lambda lines: b"".join(lines).replace(b"\n", b"\r\n"),
        r"line 1: byte \d+: not as RFC 8785",
    ),
    "no final newline": (
        lambda lines: b"".join(lines)[:-1],
        r"line LAST: byte \d+: the final newline is missing",
    ),
    "one more newline": (lambda lines: b"".join(lines) + b"\n", r"line AFTER: byte 1: no JSON"),
    "spaces at the end": (lambda lines: b"".join(lines) + b"  ", r"line AFTER: byte 3: the final newline"),
    "a space before the last newline": (
        lambda lines: b"".join(lines)[:-1] + b" \n",
        r"line LAST: byte \d+: not as RFC 8785",
    ),
    "an empty line between": (
        lambda lines: b"".join([*lines[:2], b"\n", *lines[2:]]),
        r"line 3: byte 1: no JSON",
    ),
}
"""Bytes that a lenient reader would take for the same record, and how they are refused."""


@pytest.mark.parametrize("what", list(SPELLINGS))
def test_another_spelling_of_the_same_record_is_refused(whole: Whole, what: str) -> None:
    change, message = SPELLINGS[what]
    wanted = message.replace("LAST", str(len(whole.lines))).replace("AFTER", str(len(whole.lines) + 1))
    assert re.match(wanted, refusal(whole, change(list(whole.lines))))


@pytest.mark.parametrize("sealed", [True, False])
def test_spare_bits_of_base64_in_a_record_are_refused(whole: Whole, *, sealed: bool) -> None:
    lines = list(whole.lines)
    wanted = "checkpoint" if sealed else "signoff.given"
    number = next(i for i, line in enumerate(lines) if json.loads(line)["type"] == wanted)
    event = json.loads(lines[number])
    signature = event["data"]["envelope"]["signatures"][0]
    last = BASE64.index(signature["sig"][-3])
    signature["sig"] = signature["sig"][:-3] + BASE64[last ^ 1] + "=="
    lines[number] = canonical(event) + b"\n"
    assert (
        refusal(whole, b"".join(rechained(lines)))
        == f"line {number + 1} ({wanted}): `sig` is no canonical base64"
    )


# Forgeries of a launch of people. Most of them are by somebody who also has the server's key: nothing but the
# people's own signatures stands in the way.


@dataclass(frozen=True, slots=True)
class Forgery:
    """What somebody would have a reader believe, and how it is refused."""

    made: Callable[[], list[bytes]]
    refused: str


def sealed(record: RecordBuilder) -> list[bytes]:
    """Ended and sealed with the server's own key."""
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    return record.lines


def lines_of(kind: str, record: RecordBuilder) -> list[dict[str, Any]]:
    """The data of every event of this type."""
    return [dict(event.data) for event in record.events if event.type == kind]


def reordered() -> list[bytes]:
    lines = people_builder().lines
    return [*lines[:-5], lines[-4], lines[-5], *lines[-3:]]


def reordered_and_chained() -> list[bytes]:
    return rechained(reordered())


def cut() -> list[bytes]:
    return people_builder().lines[:-1]


def cut_before_the_checkpoint() -> list[bytes]:
    lines = people_builder().lines
    return [*lines[:-3], lines[-1]]


def cut_and_chained() -> list[bytes]:
    return rechained(cut_before_the_checkpoint())


def cut_at_an_earlier_checkpoint() -> list[bytes]:
    record = up_to_first_poll()
    record.seal()
    return record.lines


def replayed_from_an_earlier_poll() -> list[bytes]:
    record = up_to_second_poll()
    record.add("signoff.given", lines_of("signoff.given", record)[0])
    return sealed(record)


def replayed_over_the_same_evidence() -> list[bytes]:
    record = up_to_first_poll()
    record.sign("cto")
    record.poll()
    record.add("signoff.given", lines_of("signoff.given", record)[0])
    return sealed(record)


def moved_from_another_launch() -> list[bytes]:
    record = up_to_first_poll()
    other = up_to_second_poll("depot-1")
    record.add("signoff.given", lines_of("signoff.given", other)[0])
    return sealed(record)


def a_word_moved_from_another_launch() -> list[bytes]:
    record = RecordBuilder()
    record.open(roles=ROLES)
    record.add("check.attested", lines_of("check.attested", up_to_first_poll("depot-1"))[0])
    return sealed(record)


def a_word_moved_from_another_record_of_this_launch() -> list[bytes]:
    record = RecordBuilder()
    record.open()
    record.add("check.attested", lines_of("check.attested", up_to_first_poll())[0])
    return sealed(record)


def a_decision_moved_from_another_launch() -> list[bytes]:
    record = RecordBuilder()
    record.open()
    other = RecordBuilder("depot-1")
    other.open()
    other.decide("no-go")
    record.add("decision.made", lines_of("decision.made", other)[0])
    return sealed(record)


def evidence_swapped_in_the_poll() -> list[bytes]:
    record = up_to_first_poll()
    record.claims["oncall.primary"]["fingerprint"] = "f" * 64
    record.poll()
    return sealed(record)


def evidence_swapped_under_the_signature() -> list[bytes]:
    record = up_to_first_poll()
    record.sign("cto")
    signed = record.events.pop()
    record.observe("oncall.primary", fingerprint="f" * 64)
    record.poll()
    record.add("signoff.given", dict(signed.data))
    return sealed(record)


def evidence_swapped_beside_a_word() -> list[bytes]:
    record = RecordBuilder()
    record.open(roles=ROLES)
    word = dict(record.attest("bk.db", evidence=FILE, source="restore.log").data)
    record.events.pop()
    seen: Any = word["seen"]
    record.add("check.attested", {**word, "seen": {**seen, "sha256": "f" * 64}})
    return sealed(record)


def signed_as(beside: dict[str, Any], **changes: Any) -> Callable[[], list[bytes]]:
    """The CTO's sign-off with other words beside the envelope, or signed by the CTO's key in other words."""

    def made() -> list[bytes]:
        record = up_to_first_poll()
        record.sign("cto", **changes)
        data = dict(record.events.pop().data)
        record.add("signoff.given", {**data, **beside})
        return sealed(record)

    return made


def signed_in_another_role() -> list[bytes]:
    record = up_to_first_poll()
    record.sign("qa-lead", key=signer("Cleo Chief"), person="Cleo Chief")
    data = dict(record.events.pop().data)
    record.add("signoff.given", {**data, "person": "Cleo Chief"})
    return sealed(record)


def decided_as(**beside: Any) -> Callable[[], list[bytes]]:
    """A NO-GO with other words beside the envelope."""

    def made() -> list[bytes]:
        record = up_to_first_poll()
        record.decide("no-go", reason="tests are red", category="quality")
        data = dict(record.events.pop().data)
        record.add("decision.made", {**data, **beside})
        return sealed(record)

    return made


def attested_as(**beside: Any) -> Callable[[], list[bytes]]:
    """A word with other words beside the envelope."""

    def made() -> list[bytes]:
        record = RecordBuilder()
        record.open(roles=ROLES)
        record.attest("test.smoke")
        data = dict(record.events.pop().data)
        record.add("check.attested", {**data, **beside})
        return sealed(record)

    return made


def signed_anew_by_a_stranger() -> list[bytes]:
    return people_builder(seed="stranger").lines


def signed_anew_by_a_stranger_but_for_the_words() -> list[bytes]:
    """What people said is theirs; whoever wrote the rest has no key of theirs."""
    record = up_to_first_poll()
    record.seed = "stranger"
    for role in PEOPLE:
        record.sign(role)
    record.decide()
    return record.landing().lines


def sealed_by_a_stranger() -> list[bytes]:
    record = people_builder()
    record.events.pop()
    record.seal(signer("server", "stranger"))
    return record.lines


def go_over_one_persons_word() -> list[bytes]:
    record = RecordBuilder()
    record.open(roles=ROLES)
    for check in CHECKS[1:]:
        record.observe(check)
    record.attest("bk.db")
    return decided(record)


def go_over_a_line_that_failed() -> list[bytes]:
    record = RecordBuilder()
    record.open(roles=ROLES)
    for check in CHECKS:
        record.observe(check, "failed" if check == "cfg.cors" else "passed")
    return decided(record)


def go_over_a_waiver_that_ended() -> list[bytes]:
    record = RecordBuilder()
    record.open(roles=ROLES)
    for check in CHECKS:
        record.observe(check, "failed" if check == "cfg.cors" else "passed")
    record.waive("cfg.cors", START + 12)
    return decided(record)


def decided(record: RecordBuilder) -> list[bytes]:
    """A poll, everybody's valid go, and a valid GO."""
    return record.go().landing().lines


FORGERIES: dict[str, Forgery] = {
    "reordered": Forgery(reordered, r"line 31: `seq` is 31, not 30: lines are missing, moved or added"),
    "reordered, the chain made right": Forgery(
        reordered_and_chained, r"line 35 \(checkpoint\): the checkpoint does not hold: `predicate\.head`"
    ),
    "the end cut": Forgery(cut, r"line 34: the record ends with launch\.ended, not with a checkpoint"),
    "the end cut before the checkpoint": Forgery(
        cut_before_the_checkpoint, r"line 33: `seq` is 34, not 32: lines are missing"
    ),
    "the end cut before the checkpoint, the chain made right": Forgery(
        cut_and_chained, r"line 33 \(checkpoint\): the checkpoint does not hold: `predicate\.head`"
    ),
    "cut at an earlier checkpoint": Forgery(
        cut_at_an_earlier_checkpoint, r"line 11: the record has no launch\.ended"
    ),
    "an earlier poll's signature": Forgery(
        replayed_from_an_earlier_poll,
        r"line 16 \(signoff\.given\): the sign-off does not hold: `predicate\.evidence_root`",
    ),
    "an earlier poll's signature over the same evidence": Forgery(
        replayed_over_the_same_evidence,
        r"line 13 \(signoff\.given\): signed no later than this key's signature before: played again",
    ),
    "another launch's signature": Forgery(
        moved_from_another_launch,
        r"line 11 \(signoff\.given\): the sign-off does not hold: `predicate\.evidence_root`",
    ),
    "another launch's word": Forgery(
        a_word_moved_from_another_launch,
        r"line 2 \(check\.attested\): signed for launch 'depot-1', not for 'depot-2'",
    ),
    "a word of another record of this launch": Forgery(
        a_word_moved_from_another_record_of_this_launch,
        r"line 2 \(check\.attested\): the signed text is not what these words make",
    ),
    "another launch's decision": Forgery(
        a_decision_moved_from_another_launch,
        r"line 2 \(decision\.made\): signed for launch 'depot-1', not for 'depot-2'",
    ),
    "evidence swapped in the poll": Forgery(
        evidence_swapped_in_the_poll,
        r"line 11 \(poll\.opened\): the evidence does not hold: `claims\[2\]\.fingerprint` is ffff",
    ),
    "evidence swapped under the signature": Forgery(
        evidence_swapped_under_the_signature,
        r"line 13 \(signoff\.given\): the sign-off does not hold: `predicate\.evidence_root`",
    ),
    "evidence swapped beside a word": Forgery(
        evidence_swapped_beside_a_word, r"line 2 \(check\.attested\): `seen` is .*ffff.*was signed"
    ),
    "role swapped beside the signature": Forgery(
        signed_as({"role": "qa-lead"}),
        r"line 11 \(signoff\.given\): `role` is 'qa-lead', but 'cto' was signed",
    ),
    "role swapped in the signed text": Forgery(
        signed_in_another_role,
        r"line 11 \(signoff\.given\): Cleo Chief may not sign as qa-lead, only as cto",
    ),
    "person swapped in the signed text": Forgery(
        signed_as({}, person="Dana Ops"),
        r"line 11 \(signoff\.given\): signed as Dana Ops, but with the key of Cleo Chief",
    ),
    "a no-go that reads as a go": Forgery(
        signed_as({"decision": "go"}, decision="no-go"),
        r"line 11 \(signoff\.given\): `decision` is 'go', but 'no-go' was signed",
    ),
    "another note beside the signature": Forgery(
        signed_as({"note": "all is well"}),
        r"line 11 \(signoff\.given\): `note` is 'all is well', but 'looks good' was signed",
    ),
    "a real person said to be simulated": Forgery(
        signed_as({"simulated": True}), r"line 11 \(signoff\.given\): `simulated` is True, but False was"
    ),
    "a number in the place of a word that was signed": Forgery(
        signed_as({"simulated": 0}), r"line 11 \(signoff\.given\): `simulated` is 0, but False was signed"
    ),
    "another reason beside a decision": Forgery(
        decided_as(reason="a holiday"), r"line 11 \(decision\.made\): `reason` is 'a holiday', but 'tests are"
    ),
    "another category beside a decision": Forgery(
        decided_as(category="outside"), r"line 11 \(decision\.made\): `category` is 'outside', but 'quality'"
    ),
    "another date beside a decision": Forgery(
        decided_as(new_t0=LATER["t0"]), r"line 11 \(decision\.made\): `new_t0` is '2027.*', but None was"
    ),
    "another role beside a decision": Forgery(
        decided_as(role="qa-lead"), r"line 11 \(decision\.made\): `role` is 'qa-lead', but 'cto' was signed"
    ),
    "another verdict beside a word": Forgery(
        attested_as(verdict="failed"), r"line 2 \(check\.attested\): `verdict` is 'failed', but 'passed' was"
    ),
    "another statement beside a word": Forgery(
        attested_as(value="I have heard it"), r"line 2 \(check\.attested\): `value` is 'I have heard it', but"
    ),
    "another explanation beside a word": Forgery(
        attested_as(why="Emil Eng: I have seen it"), r"line 2 \(check\.attested\): `why` is 'Emil Eng: I have"
    ),
    "another person beside a word": Forgery(
        attested_as(by="Emil Eng"), r"line 2 \(check\.attested\): `by` is 'Emil Eng', but 'Dana Ops' was"
    ),
    "signed anew by a stranger": Forgery(
        signed_anew_by_a_stranger,
        r"line 6 \(check\.attested\): key [0-9a-f]{64} is not in the trust root: a stranger signed this",
    ),
    "the poll signed by a stranger": Forgery(
        signed_anew_by_a_stranger_but_for_the_words,
        r"line 11 \(signoff\.given\): key [0-9a-f]{64} is not in the trust root: a stranger signed this",
    ),
    "sealed by a stranger": Forgery(
        sealed_by_a_stranger,
        r"line 35 \(checkpoint\): key [0-9a-f]{64} is not in the trust root: a stranger signed this",
    ),
    "a valid GO over one person's word for a blocker": Forgery(
        go_over_one_persons_word, r"line 13 \(decision\.made\): GO over bk\.db, which is inconclusive"
    ),
    "a valid GO over a line that failed": Forgery(
        go_over_a_line_that_failed, r"line 13 \(decision\.made\): GO over cfg\.cors, which is failed"
    ),
    "a valid GO over a waiver that ended": Forgery(
        go_over_a_waiver_that_ended,
        rf"line 15 \(decision\.made\): GO over cfg\.cors, whose waiver ended at {timestamp(START + 12)}",
    ),
}


@pytest.mark.parametrize("what", list(FORGERIES))
def test_a_forgery_is_refused_in_words_of_its_own(what: str) -> None:
    forgery = FORGERIES[what]
    with pytest.raises(RecordError, match=rf"^{forgery.refused}"):
        verify([b"".join(forgery.made())], open_envelope, trust_root())


def test_what_the_forgeries_begin_with_holds() -> None:
    assert verify([b"".join(people_builder().lines)], open_envelope, trust_root()).outcome == "landed"
    assert verify([b"".join(sealed(up_to_first_poll()))], open_envelope, trust_root()).outcome == "scrubbed"
    assert verify([b"".join(sealed(up_to_second_poll()))], open_envelope, trust_root()).trusted


def test_a_demo_signed_anew_by_strangers_is_refused(whole: Whole) -> None:
    strangers = trust_root("stranger")
    with pytest.raises(RecordError, match=r"^line \d+ \(\w+\.\w+\): key .* a stranger signed this"):
        verify([whole.content], open_envelope, strangers)


def test_who_has_the_server_s_key_can_leave_out_what_no_person_signed() -> None:
    record = people_builder()
    kept = [event for event in record.events[:-1] if event.data.get("step") != "smoke"]
    record.events = []
    for event in kept:
        entry = Entry(event.type, event.key, event.data, event.at, event.t_ms)
        record.events.append(append(record.events[-1] if record.events else None, entry))
    record.seal()
    assert len(record.events) == len(people_builder().events) - 2
    assert record.verify(trust_root()).outcome == "landed"


def test_a_changed_trust_root_passes_a_forgery_where_it_lies_and_nowhere_else() -> None:
    forged = people_builder(seed="stranger")
    assert forged.verify(trust_root("stranger")).trusted
    with pytest.raises(RecordError, match="a stranger signed this"):
        forged.verify(trust_root())


def test_a_file_swapped_beside_the_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"".join(people_builder().lines))
    shown = tmp_path / "evidence" / FILE
    shown.parent.mkdir()
    shown.write_bytes(b"restored in 4 s")
    assert verify_file(path, trust_root()).notes == ()
    shown.write_bytes(b"restored in 5 s")
    with pytest.raises(RecordError, match=rf"record\.jsonl: evidence restore\.log was swapped: .*{FILE}"):
        verify_file(path, trust_root())


def test_a_payload_may_be_read_by_anyone_and_changed_by_nobody() -> None:
    record = up_to_first_poll()
    record.sign("cto", "no-go")
    data = json.loads(canonical(dict(record.events.pop().data)))
    payload = base64.b64decode(data["envelope"]["payload"])
    assert b'"decision":"no-go"' in payload
    other = payload.replace(b'"decision":"no-go"', b'"decision":"go"')
    data["envelope"]["payload"] = base64.b64encode(other).decode()
    record.add("signoff.given", {**data, "decision": "go"})
    with pytest.raises(RecordError, match=r"^line 11 \(signoff\.given\): the signature is not by key"):
        record.landing().verify(trust_root())
