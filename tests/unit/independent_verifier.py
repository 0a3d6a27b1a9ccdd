"""Verifies a record's envelopes by others' libraries alone: `independent_verifier.py RECORD TRUST`.

Prints what each envelope is, one JSON object in a line; ends with a traceback where anything does not hold.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped] # no types
from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped] # no types
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage  # type: ignore[import-untyped] # no types
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined] # public, not in __all__

PREDICATES = "https://tminus.dev/"
WORDS = ("attestation/v1", "waiver-request/v1", "waiver/v1")


def envelopes(lines: list[bytes], names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Every envelope of a record, once it holds; `names` has each trusted key's owner."""
    events = [json.loads(line) for line in lines]
    for number, (line, event) in enumerate(zip(lines, events, strict=True)):
        assert rfc8785.dumps(event) + b"\n" == line, f"line {number + 1} is not canonical"
        before = sha256(lines[number - 1]).hexdigest() if number else "0" * 64
        assert event["prev"] == before, f"line {number + 1} does not follow"
        if "envelope" in event["data"]:
            statement, keyid = opened(event["data"]["envelope"])
            kind = str(statement.predicate_type).removeprefix(PREDICATES)
            subjects = {found.name: found.digest["sha256"] for found in statement.subject}
            about = (
                about_words(event, lines)
                if kind in WORDS
                else expected(kind, statement, events[:number], lines)
            )
            assert subjects == about, f"line {number + 1} is signed for something else"
            yield {"type": event["type"], "kind": kind, "by": names[keyid]}


def opened(content: dict[str, Any]) -> tuple[Any, str]:
    """The Statement in an envelope, and the key that signed it."""
    envelope = Envelope.from_dict(deepcopy(content))
    (keyid,) = envelope.signatures
    key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(keyid)), keyid)
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(envelope.payload), envelope.payload)
    assert envelope.pae() == signed
    assert list(envelope.verify([key], 1)) == [keyid]
    read = Statement.copy_from_pb(ParseDict(json.loads(envelope.payload), StatementMessage()))
    read.validate()
    return read.pb, keyid


def about_words(event: dict[str, Any], lines: list[bytes]) -> dict[str, str]:
    """What a word for a line must be about: the line in this launch, and the file that was shown."""
    seen = event["data"].get("seen", {})
    shown = {seen["file"]: seen["sha256"]} if seen.get("sha256") else {}
    return {event["data"]["check"]: sha256(lines[0]).hexdigest(), **shown}


def expected(kind: str, statement: Any, before: list[dict[str, Any]], lines: list[bytes]) -> dict[str, str]:
    """What another statement must be about, by name and SHA-256, computed from the lines before it."""
    if kind == "checkpoint/v1":
        return {"launch record": sha256(lines[len(before) - 1]).hexdigest()}
    release: dict[str, str] = before[0]["data"]["release"]
    polls = [old for old in before if old["type"] in {"poll.opened", "poll.renewed"}]
    root = sha256(rfc8785.dumps(polls[-1]["data"]["evidence"])).hexdigest()
    assert polls[-1]["data"]["root"] == root
    assert polls[-1]["data"]["evidence"]["opened"] == sha256(lines[0]).hexdigest()
    assert statement.predicate["evidence_root"] == root
    return release


def main() -> None:
    """Verify the record of the first file with the trust root of the second."""
    record, trust = Path(sys.argv[1]), Path(sys.argv[2])
    names = {key["keyid"]: key["name"] for key in json.loads(trust.read_bytes())["keys"]}
    for found in envelopes(record.read_bytes().splitlines(keepends=True), names):
        sys.stdout.write(json.dumps(found) + "\n")
    assert not [name for name in sys.modules if name.partition(".")[0] == "tminus"]


if __name__ == "__main__":
    main()
