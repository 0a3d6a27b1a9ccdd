"""Keys, envelopes and the trust root's file."""

import base64
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped] # no types
from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped] # no types
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage  # type: ignore[import-untyped] # no types
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined] # public, not in __all__

from tminus.domain.attestation import EvidenceRoot, SignOff, sign_off_statement
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import PlanError, RecordError, RefusedError, UsageError
from tminus.signing import (
    Signer,
    check_public_key,
    enrol,
    load_trust,
    open_envelope,
    retire,
    save_trust,
    sign_statement,
    trust_path,
    verify_envelope,
)
from tminus.signing.envelope import PAYLOAD_TYPE

AT = "2026-01-31T12:00:00.000Z"
LATER = "2026-02-01T12:00:00.000Z"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer.generate()


@pytest.fixture(scope="module")
def statement() -> dict[str, Any]:
    claims = ({"check": "a", "verdict": "passed", "fingerprint": "f", "source": "probe"},)
    evidence = EvidenceRoot("0" * 64, "1" * 64, 1, {"depot": "ab" * 32}, claims, {"t0": AT, "speed": 60})
    return dict(sign_off_statement(SignOff("depot-2", "cto", "Cleo Chief", "go", AT, "größer"), evidence))


@pytest.fixture
def envelope(signer: Signer, statement: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(dict(sign_statement(signer, statement)))


def person(signer: Signer, name: str = "Cleo Chief", role: str = "cto") -> TrustedKey:
    return TrustedKey(signer.keyid, name, KeyKind.PERSON, (role,), AT)


class TestKeys:
    def test_a_key_is_readable_by_its_owner_alone_and_signs_the_same_afterwards(self, tmp_path: Path) -> None:
        signer = Signer.generate()
        signer.save(tmp_path / "keys" / "cto.pem")
        assert stat.S_IMODE((tmp_path / "keys" / "cto.pem").stat().st_mode) == 0o600
        assert [path.name for path in (tmp_path / "keys").iterdir()] == ["cto.pem"]
        assert Signer.load(tmp_path / "keys" / "cto.pem").keyid == signer.keyid

    def test_a_key_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "cto.pem"
        Signer.generate().save(path)
        path.chmod(0o640)
        with pytest.raises(RefusedError, match="others can read"):
            Signer.load(path)

    def test_a_locked_key_opens_with_its_passphrase_only(self, tmp_path: Path) -> None:
        path = tmp_path / "cto.pem"
        signer = Signer.generate()
        signer.save(path, "correct horse")
        assert Signer.load(path, "correct horse").keyid == signer.keyid
        for wrong in ("battery staple", None):
            with pytest.raises(RefusedError, match="does not open"):
                Signer.load(path, wrong)

    def test_a_key_never_replaces_another(self, tmp_path: Path) -> None:
        path = tmp_path / "cto.pem"
        first = Signer.generate()
        first.save(path)
        with pytest.raises(RefusedError, match="a key is there already"):
            Signer.generate().save(path)
        assert Signer.load(path).keyid == first.keyid

    def test_a_missing_key_or_another_kind_of_key_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="does not open"):
            Signer.load(tmp_path / "none.pem")
        other = tmp_path / "other.pem"
        other.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        other.chmod(0o600)
        with pytest.raises(RefusedError, match="does not open"):
            Signer.load(other)

    def test_many_who_create_one_key_at_once_get_the_same_key(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            keys = list(pool.map(lambda _: Signer.load_or_create(tmp_path / "server.pem").keyid, range(16)))
        assert len(set(keys)) == 1

    def test_a_private_key_is_not_printed(self) -> None:
        assert "private" not in repr(Signer.generate()).lower()

    @pytest.mark.parametrize("wrong", ["", "ab", "AB" * 32, "g" * 64, "0" * 63 + "\n"])
    def test_what_is_no_key_id_is_refused(self, wrong: str) -> None:
        with pytest.raises(RecordError, match="64 lower-case hex"):
            check_public_key(wrong)

    def test_a_point_that_is_not_on_the_curve_is_refused(self) -> None:
        with pytest.raises(RecordError, match="not on the curve"):
            check_public_key("02" + "00" * 31)

    def test_good_keys_are_accepted(self) -> None:
        for _ in range(50):
            check_public_key(Signer.generate().keyid)


class TestEnvelopes:
    def test_a_signed_statement_comes_back_with_its_key(
        self, signer: Signer, statement: dict[str, Any], envelope: dict[str, Any]
    ) -> None:
        assert open_envelope(envelope).statement == statement
        assert verify_envelope(envelope, [signer.keyid]).keyid == signer.keyid

    def test_a_stranger_is_not_among_those_expected(self, envelope: dict[str, Any]) -> None:
        with pytest.raises(RecordError, match="none of those expected"):
            verify_envelope(envelope, [Signer.generate().keyid])

    def test_others_can_verify_without_tminus(self, signer: Signer, envelope: dict[str, Any]) -> None:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer.keyid))
        independent = Envelope.from_dict(deepcopy(envelope))
        independent.verify([SSlibKey.from_crypto(public, signer.keyid)], 1)
        message = ParseDict(json.loads(independent.payload), StatementMessage())
        read = Statement.copy_from_pb(message)
        read.validate()
        assert read.pb.predicate_type == "https://tminus.dev/sign-off/v1"
        assert read.pb.subject[0].digest["sha256"] == "ab" * 32

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda e: e.pop("payloadType"), "`payloadType` is missing"),
            (lambda e: e.update(extra=1), "'extra' is unknown"),
            (lambda e: e.update(payloadType="application/json"), "`payloadType` is not"),
            (lambda e: e.update(payload=None), "`payload` must be a text"),
            (lambda e: e.update(payload=e["payload"][:-4]), "the signature is not by key"),
            (lambda e: e.update(payload=e["payload"] + "\n"), "no base64"),
            (lambda e: e.update(payload="-" + e["payload"][1:]), "no base64"),
            (lambda e: e.update(signatures=[]), "0 signatures, not one"),
            (lambda e: e.update(signatures=e["signatures"] * 2), "2 signatures, not one"),
            (lambda e: e["signatures"][0].update(cert="x"), "'cert' is unknown"),
            (lambda e: e["signatures"][0].update(keyid="00" * 32), "a point of small order"),
            (
                lambda e: e["signatures"][0].update(keyid=Signer.generate().keyid),
                "the signature is not by key",
            ),
            (lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"][:-2]), "no base64"),
            (lambda e: e["signatures"][0].update(sig="AAAA"), "the signature is not by key"),
        ],
    )
    def test_an_envelope_in_any_other_form_is_refused(
        self, envelope: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
    ) -> None:
        change(envelope)
        with pytest.raises(RecordError, match=message) as refused:
            open_envelope(envelope)
        assert "generate" not in refused.value.hint, "nobody who reads it made that key"

    def test_what_is_no_envelope_is_refused(self) -> None:
        with pytest.raises(RecordError, match="there is no envelope"):
            open_envelope(None)

    def test_spare_bits_of_base64_are_no_room_for_changes(self, envelope: dict[str, Any]) -> None:
        signature = envelope["signatures"][0]["sig"]
        assert signature.endswith("==")
        last = BASE64.index(signature[-3])
        for spare in range(1, 16):
            other = signature[:-3] + BASE64[last ^ spare] + "=="
            assert base64.b64decode(other) == base64.b64decode(signature)
            envelope["signatures"][0]["sig"] = other
            with pytest.raises(RecordError, match="no canonical base64"):
                open_envelope(envelope)

    def test_a_signature_with_its_scalar_moved_by_the_group_order_is_refused(
        self, envelope: dict[str, Any]
    ) -> None:
        order = 2**252 + 27742317777372353535851937790883648493
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        scalar = int.from_bytes(signature[32:], "little") + order
        moved = signature[:32] + scalar.to_bytes(32, "little")
        envelope["signatures"][0]["sig"] = base64.b64encode(moved).decode()
        with pytest.raises(RecordError, match="the signature is not by key"):
            open_envelope(envelope)

    def test_a_signed_payload_that_is_not_canonical_is_refused(
        self, signer: Signer, statement: dict[str, Any]
    ) -> None:
        for payload, message in ((json.dumps(statement).encode(), "RFC 8785"), (b"[]", "no statement")):
            loose = Envelope(payload, PAYLOAD_TYPE, {})
            loose.sign(signer.crypto())
            with pytest.raises(RecordError, match=message):
                open_envelope(loose.to_dict())


class TestTrustRoot:
    def test_what_was_enrolled_is_read_back(self, tmp_path: Path) -> None:
        path = trust_path(tmp_path / "home")
        server = TrustedKey(Signer.generate().keyid, "server", KeyKind.SERVER)
        cto = replace(person(Signer.generate()), simulated=True)
        enrol(path, server)
        assert enrol(path, cto) == load_trust(path) == TrustRoot((server, cto))

    def test_enrolling_twice_changes_nothing(self, tmp_path: Path) -> None:
        path = trust_path(tmp_path)
        key = person(Signer.generate())
        enrol(path, key)
        before = path.stat().st_mtime_ns, path.read_bytes()
        enrol(path, key)
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before

    def test_a_key_belongs_to_one_person_or_to_the_server(self, tmp_path: Path) -> None:
        path = trust_path(tmp_path)
        signer = Signer.generate()
        enrol(path, person(signer))
        for other in (person(signer, "Dana Ops"), TrustedKey(signer.keyid, "server", KeyKind.SERVER)):
            with pytest.raises(RefusedError, match="enrolled already, for person Cleo Chief"):
                enrol(path, other)

    def test_a_weak_key_is_not_enrolled(self, tmp_path: Path) -> None:
        with pytest.raises(RecordError, match="small order"):
            enrol(trust_path(tmp_path), TrustedKey("00" * 32, "Cleo Chief", KeyKind.PERSON, ("cto",)))
        assert not trust_path(tmp_path).exists()

    def test_a_person_needs_a_role_and_a_server_has_none(self, tmp_path: Path) -> None:
        keyid = Signer.generate().keyid
        for key in (
            TrustedKey(keyid, "Cleo", KeyKind.PERSON),
            TrustedKey(keyid, "s", KeyKind.SERVER, ("cto",)),
        ):
            with pytest.raises(RefusedError, match="a person's key needs a role"):
                enrol(trust_path(tmp_path), key)

    def test_rotation_retires_one_key_and_enrols_another(self, tmp_path: Path) -> None:
        path = trust_path(tmp_path)
        old, new = Signer.generate(), Signer.generate()
        enrol(path, person(old))
        retire(path, old.keyid, LATER)
        trust = enrol(path, replace(person(new), valid_from=LATER))
        assert trust.signer(old.keyid, KeyKind.PERSON, AT).name == "Cleo Chief"
        assert trust.signer(new.keyid, KeyKind.PERSON, LATER).name == "Cleo Chief"
        for keyid, at in ((old.keyid, LATER), (new.keyid, AT)):
            with pytest.raises(RecordError, match="was not valid at"):
                trust.signer(keyid, KeyKind.PERSON, at)
        with pytest.raises(RefusedError, match="not enrolled"):
            retire(path, Signer.generate().keyid, LATER)

    def test_many_who_enrol_at_once_lose_no_key(self, tmp_path: Path) -> None:
        keys = [person(Signer.generate(), f"person {number}") for number in range(12)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda key: enrol(trust_path(tmp_path), key), keys))
        assert set(load_trust(trust_path(tmp_path)).keys) == set(keys)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"keyid": "00" * 32}, "key 1: public key .* small order"),
            ({"keyid": 5}, "key 1: `keyid` must be a text"),
            ({"kind": "robot"}, "key 1: 'robot' is not a valid KeyKind"),
            ({"roles": []}, "key 1: key of person Cleo Chief: a person's key needs a role"),
            ({"roles": "cto"}, "key 1: `roles` must be a list of texts"),
            ({"valid_from": "yesterday"}, "key 1: 'yesterday' is no instant"),
            ({"valid_until": AT}, "key 1: `valid_until` is not after `valid_from`"),
            ({"simulated": "no"}, "key 1: `simulated` must be true or false"),
            ({"admin": True}, "key 1: the field 'admin' is unknown"),
        ],
    )
    def test_a_wrong_entry_refuses_the_whole_file(
        self, tmp_path: Path, change: dict[str, object], message: str
    ) -> None:
        path = trust_path(tmp_path)
        save_trust(path, TrustRoot((person(Signer.generate()),)))
        content = json.loads(path.read_bytes())
        content["keys"][0].update(change)
        path.write_text(json.dumps(content))
        with pytest.raises(PlanError, match=message):
            load_trust(path)

    def test_a_key_that_stands_twice_or_another_version_refuses_the_file(self, tmp_path: Path) -> None:
        path = trust_path(tmp_path)
        key = person(Signer.generate())
        save_trust(path, TrustRoot((key, key)))
        with pytest.raises(PlanError, match="key 2: stands twice"):
            load_trust(path)
        for content, message in (({"version": 2, "keys": []}, "version 2, not 1"), ([], "not an object")):
            path.write_text(json.dumps(content))
            with pytest.raises(PlanError, match=message):
                load_trust(path)

    def test_a_missing_or_unreadable_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"trust\.json: the trust root cannot be read"):
            load_trust(trust_path(tmp_path))
        trust_path(tmp_path).write_text("{")
        with pytest.raises(UsageError, match="cannot be read"):
            load_trust(trust_path(tmp_path))
