"""DSSE envelopes: in-toto statements, signed and opened.

The payload is our own RFC 8785 bytes; securesystemslib makes the signature over DSSE's pre-authentication encoding. It
is checked over the same bytes by the library that does it for securesystemslib, whose keys are made anew for each
signature. Reading is strict where its reader is lenient: one form of each envelope, so no byte of it can be changed.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping

from cryptography.exceptions import InvalidSignature
from securesystemslib.dsse import Envelope

from tminus.domain.attestation import Json, checkpoint_statement
from tminus.domain.canonical import canonical, parse
from tminus.domain.fields import exactly, rows, text
from tminus.domain.record import CHECKPOINT, Entry, Event, append
from tminus.domain.report import SignedStatement
from tminus.errors import RecordError
from tminus.signing.keys import Signer, public_key

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_HINT = "ask the signer to sign again; do not rely on this signature"


def sign_statement(signer: Signer, statement: Mapping[str, object]) -> Json:
    """The DSSE envelope of a statement, with one signature."""
    envelope = Envelope(canonical(dict(statement)), PAYLOAD_TYPE, {})
    signature = envelope.sign(signer.crypto())
    return {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": signature.keyid, "sig": base64.b64encode(bytes.fromhex(signature.signature)).decode()}
        ],
    }


def open_envelope(envelope: object) -> SignedStatement:
    """Check an envelope's form and its signature by the key that it names itself.

    Whose key that is, and whether it counts, is for a trust root to say. Raises `RecordError` for unknown fields, any
    number of signatures but one, base64 or JSON in another than its canonical form, a weak key, a wrong signature.
    """
    if not isinstance(envelope, dict):
        raise RecordError("there is no envelope", hint=_HINT)
    exactly(envelope, ("payload", "payloadType", "signatures"))
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise RecordError(f"`payloadType` is not {PAYLOAD_TYPE}", hint=_HINT)
    payload = _decoded("payload", text(envelope, "payload"))
    keyid, signature = _signature(envelope)
    _check_signature(keyid, signature, payload)
    statement = parse(payload)
    if not isinstance(statement, dict):
        raise RecordError("the payload is no statement", hint=_HINT)
    return SignedStatement(keyid, statement, payload)


def verify_envelope(envelope: object, keyids: Collection[str]) -> SignedStatement:
    """Open an envelope that one of these keys must have signed; raises `RecordError` otherwise."""
    signed = open_envelope(envelope)
    if signed.keyid not in keyids:
        raise RecordError(f"signed by key {signed.keyid}, which is none of those expected", hint=_HINT)
    return signed


def checkpoint_entry(signer: Signer, launch: str, at: str, t_ms: int | None) -> Callable[[Event], Entry]:
    """What writes a checkpoint behind a given last event; `RecordStore.checkpoint` calls it in its transaction."""

    def sign(last: Event) -> Entry:
        unsigned = Entry(CHECKPOINT, f"checkpoint@{last.seq + 1}", {}, at, t_ms)
        statement = checkpoint_statement(launch, append(last, unsigned))
        return Entry(CHECKPOINT, unsigned.key, {"envelope": sign_statement(signer, statement)}, at, t_ms)

    return sign


def _signature(envelope: Mapping[str, object]) -> tuple[str, bytes]:
    signatures = rows(envelope, "signatures")
    if len(signatures) != 1:
        raise RecordError(f"{len(signatures)} signatures, not one", hint=_HINT)
    exactly(signatures[0], ("keyid", "sig"))
    return text(signatures[0], "keyid"), _decoded("sig", text(signatures[0], "sig"))


def _check_signature(keyid: str, signature: bytes, payload: bytes) -> None:
    try:
        key = public_key(keyid)
    except RecordError as error:
        # What is refused here was written by somebody else; no key of this machine is to be made anew.
        raise RecordError(str(error), hint=_HINT) from error
    try:
        key.verify(signature, Envelope(payload, PAYLOAD_TYPE, {}).pae())
    except InvalidSignature as error:
        raise RecordError(f"the signature is not by key {keyid}", hint=_HINT) from error


def _decoded(name: str, encoded: str) -> bytes:
    """Base64 in the only form that its bytes have: alphabet, padding and spare bits of RFC 4648."""
    try:
        decoded = binascii.a2b_base64(encoded, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise RecordError(f"`{name}` is no base64: {error}", hint=_HINT) from error
    if binascii.b2a_base64(decoded, newline=False).decode() != encoded:
        raise RecordError(f"`{name}` is no canonical base64", hint=_HINT)
    return decoded
