"""A person's signed word for what the figures of one version of a dashboard mean; it stands in a file of their team."""

from collections.abc import Mapping
from dataclasses import dataclass

from tminus.domain.attestation import STATEMENT, Json
from tminus.domain.canonical import instant, written_so
from tminus.domain.people import alike
from tminus.domain.report import OpenEnvelope
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import RecordError

CONFIRMATION = "https://tminus.dev/confirmation/v1"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody says of one version."""

    sha256: str
    """Of the version, as `drift.fingerprint` gives it."""
    by: str
    text: str
    at: str
    """When it was signed, by the signer's clock."""


def confirmation_statement(word: Confirmation) -> Json:
    """What the person signs."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": "dashboard", "digest": {"sha256": word.sha256}}],
        "predicateType": CONFIRMATION,
        "predicate": {"person": word.by, "text": word.text, "signed_at": word.at},
    }


def doubt(
    word: Confirmation, envelope: object, open_envelope: OpenEnvelope, trust: TrustRoot, *, production: bool
) -> str:
    """Why this is not the word of the person whom it names; empty where they have signed it.

    A simulated person's counts outside production alone.
    """
    if envelope is None:
        return "nobody has signed it"
    try:
        signed = open_envelope(envelope)
        instant(word.at)
    except RecordError as error:
        return f"its signature does not hold: {error}"
    if not written_so(confirmation_statement(word), signed.payload):
        return "other words were signed than stand there"
    key = trust.find(signed.keyid)
    if key is None or key.kind is not KeyKind.PERSON:
        return f"it is signed with key {signed.keyid[:16]}…, which is nobody's of the trust root"
    return _distrusted(key, word, production=production)


def _distrusted(key: TrustedKey, word: Confirmation, *, production: bool) -> str:
    """Why a person's key does not make this word theirs."""
    if alike(key.name) != alike(word.by):
        return f"it is signed with the key of {key.name}"
    if not key.valid_at(word.at):
        return f"the key of {key.name} did not count at {word.at}: it was enrolled later, or retired"
    if key.simulated and production:
        return f"{key.name} is simulated, and the plan is marked production"
    return ""


def confirmation_row(word: Confirmation, envelope: Json) -> Json:
    """One entry of the file: the words, for people, and what was signed."""
    return {"sha256": word.sha256, "by": word.by, "text": word.text, "at": word.at, "envelope": envelope}


def read_confirmation(row: Mapping[str, object]) -> Confirmation:
    """The words of an entry, as far as it has them."""
    said = {name: str(row.get(name) or "").strip() for name in ("sha256", "by", "text", "at")}
    return Confirmation(said["sha256"].removeprefix("sha256:").lower(), said["by"], said["text"], said["at"])
