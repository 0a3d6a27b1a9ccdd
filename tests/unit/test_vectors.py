"""Signatures and statements are judged as the published test vectors say; what belongs to JSON stands beside it."""

import base64
import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.dsse import Envelope

from tminus.errors import RecordError
from tminus.signing import Signer, check_public_key, open_envelope, sign_statement
from tminus.signing.envelope import PAYLOAD_TYPE
from tminus.signing.keys import public_key

VECTORS = (Path(__file__).parents[2] / "../shared/vectors").resolve()


def vectors(name: str) -> Any:
    found = VECTORS / name
    if not found.exists():
        pytest.skip(f"no test vectors at {found}")
    return json.loads(found.read_bytes())


def accepted(keyid: str, signature: str, message: bytes) -> bool:
    """Whether a signature counts by the code that opens envelopes; all of it is in hex but the message."""
    try:
        public_key(keyid).verify(bytes.fromhex(signature), message)
    except (RecordError, InvalidSignature):
        return False
    return True


class TestEd25519:
    def test_wycheproof_signatures_are_judged_as_published(self) -> None:
        judged = {"valid": 0, "invalid": 0}
        for group in vectors("wycheproof_ed25519/ed25519_test.json")["testGroups"]:
            keyid = group["publicKey"]["pk"]
            for case in group["tests"]:
                seen = accepted(keyid, case["sig"], bytes.fromhex(case["msg"]))
                assert seen == (case["result"] == "valid"), case
                judged[case["result"]] += 1
        assert judged["valid"] > 80
        assert judged["invalid"] > 60

    def test_wycheproof_signatures_are_judged_so_in_an_envelope_as_well(self) -> None:
        """The messages are other ones; an envelope with a published signature can therefore never be opened."""
        for group in vectors("wycheproof_ed25519/ed25519_test.json")["testGroups"]:
            for case in group["tests"]:
                signature = {
                    "keyid": group["publicKey"]["pk"],
                    "sig": base64.b64encode(bytes.fromhex(case["sig"])).decode(),
                }
                payload = base64.b64encode(bytes.fromhex(case["msg"])).decode()
                with pytest.raises(RecordError):
                    open_envelope(
                        {
                            "payload": payload,
                            "payloadType": PAYLOAD_TYPE,
                            "signatures": [signature],
                        }
                    )

    def test_every_low_order_or_misspelled_key_is_refused(self) -> None:
        weak: set[str] = set()
        good: set[str] = set()
        for case in vectors("ed25519_cctv/ed25519vectors.json"):
            flags = set(case["flags"] or [])
            (weak if flags & {"low_order_A", "non_canonical_A"} else good).add(case["key"])
        assert len(weak) == 14
        for key in weak:
            with pytest.raises(RecordError, match="refused"):
                check_public_key(key)
        for key in good:
            check_public_key(key)

    def test_no_signature_counts_that_rfc_8032_refuses_or_that_only_some_verifiers_take(self) -> None:
        refused = {"low_order_A", "non_canonical_A", "non_canonical_R", "low_order_residue"}
        seen: list[bool] = []
        for case in vectors("ed25519_cctv/ed25519vectors.json"):
            if accepted(case["key"], case["sig"], case["msg"].encode()):
                assert not refused & set(case["flags"] or []), case
                seen.append(True)
            else:
                seen.append(False)
        assert set(seen) == {True, False}

    def test_speccheck_signatures_count_only_under_keys_of_large_order(self) -> None:
        counted = [
            number
            for number, case in enumerate(vectors("ed25519_speccheck/cases.json"))
            if accepted(case["pub_key"], case["signature"], bytes.fromhex(case["message"]))
        ]
        assert counted == [2, 3]

    def test_small_order_keys_of_speccheck_are_refused(self) -> None:
        refused = []
        for number, case in enumerate(vectors("ed25519_speccheck/cases.json")):
            try:
                check_public_key(case["pub_key"])
            except RecordError:
                refused.append(number)
        assert refused == [0, 1, 10, 11]


class TestEnvelopes:
    def test_the_published_dsse_vector_has_the_bytes_that_we_sign(self) -> None:
        vector = vectors("dsse/dsse_spec_vector.json")
        envelope = Envelope(vector["payload_utf8"].encode(), vector["payloadType"], {})
        assert envelope.pae() == vector["pae_utf8"].encode()

    def test_the_published_dsse_signature_is_over_these_bytes_and_no_others(self) -> None:
        vector = vectors("dsse/dsse_spec_vector.json")
        point = EllipticCurvePublicNumbers(int(vector["key"]["x"]), int(vector["key"]["y"]), SECP256R1())
        (signed,) = vector["envelope"]["signatures"]
        raw = base64.b64decode(signed["sig"])
        signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        payload = base64.b64decode(vector["envelope"]["payload"])
        key = point.public_key()
        key.verify(signature, Envelope(payload, vector["payloadType"], {}).pae(), ECDSA(SHA256()))
        for other in (payload, Envelope(payload, "http://example.com/Other", {}).pae()):
            with pytest.raises(InvalidSignature):
                key.verify(signature, other, ECDSA(SHA256()))

    def test_the_published_envelope_is_none_of_ours(self) -> None:
        with pytest.raises(RecordError, match="`payloadType` is not"):
            open_envelope(vectors("dsse/dsse_spec_vector.json")["envelope"])

    def test_the_published_in_toto_statements_come_back_from_an_envelope(self) -> None:
        signer = Signer.generate()
        seen = 0
        for name in sorted({row["file"] for row in vectors("intoto_attestation_examples/INDEX.json")}):
            statement: Mapping[str, Any] = vectors(f"intoto_attestation_examples/{name}")
            envelope = sign_statement(signer, statement)
            assert open_envelope(deepcopy(envelope)).statement == statement
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer.keyid))
            payload = base64.b64decode(str(envelope["payload"]))
            (signature,) = Envelope.from_dict(deepcopy(dict(envelope))).signatures.values()
            key.verify(bytes.fromhex(signature.signature), pae(PAYLOAD_TYPE, payload))
            seen += 1
        assert seen == 14


def pae(kind: str, payload: bytes) -> bytes:
    """What DSSE signs, by the words of its protocol."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
