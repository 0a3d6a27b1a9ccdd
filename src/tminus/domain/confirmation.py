"""A person's signed word for what the figures of one version of a dashboard mean; it stands in a file of their team."""

from collections.abc import Mapping
from dataclasses import dataclass

from tminus.domain.attestation import STATEMENT, Json
from tminus.domain.canonical import instant, timestamp, written_so
from tminus.domain.people import alike
from tminus.domain.report import OpenEnvelope
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import RecordError

CONFIRMATION = "https://tminus.dev/confirmation/v1"
SKEW = 60.0
"""By how many seconds two machines' clocks may differ."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody says of one version."""

    sha256: str
    """Of the version, as `drift.fingerprint` gives it."""
    by: str
    text: str
    at: str
    """When it was signed, by the signer's clock."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a word is judged beside the trust root."""

    production: bool
    """Whether the plan is marked production: nobody simulated counts there."""
    now: float
    """Seconds of the epoch."""


def confirmation_statement(word: Confirmation) -> Json:
    """What the person signs."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": "dashboard", "digest": {"sha256": word.sha256}}],
        "predicateType": CONFIRMATION,
        "predicate": {"person": word.by, "text": word.text, "signed_at": word.at},
    }


def doubt(
    word: Confirmation, envelope: object, open_envelope: OpenEnvelope, trust: TrustRoot, rules: Rules
) -> str:
    """Why this is not the word of the person whom it names; empty where they have signed it.

    Nobody but the signer says when it was signed. So the key has to count now too: with a retired one a word could be
    written as of before.
    """
    if envelope is None:
        return "nobody has signed it"
    if isinstance(envelope, dict) and not all(isinstance(name, str) for name in envelope):
        return "its signature does not hold: it is no envelope"
    try:
        signed = open_envelope(envelope)
        instant(word.at)
        as_signed = written_so(confirmation_statement(word), signed.payload)
    except RecordError as error:
        return f"its signature does not hold: {error}"
    if not as_signed:
        return "other words were signed than stand there"
    key = trust.find(signed.keyid)
    if key is None or key.kind is not KeyKind.PERSON:
        return f"it is signed with key {signed.keyid[:16]}…, which is nobody's of the trust root"
    return _distrusted(key, word, rules)


def _distrusted(key: TrustedKey, word: Confirmation, rules: Rules) -> str:
    """Why a person's key does not make this word theirs."""
    if alike(key.name) != alike(word.by):
        return f"it is signed with the key of {key.name}"
    if instant(word.at) > rules.now + SKEW:
        return f"it is of {word.at}, which is still to come"
    if not key.valid_at(word.at):
        return f"the key of {key.name} did not count at {word.at}: it was enrolled later, or retired"
    if not key.valid_at(timestamp(rules.now)):
        return f"the key of {key.name} is retired, and counts no more"
    if key.simulated and rules.production:
        return f"{key.name} is simulated, and the plan is marked production"
    return ""


def confirmation_row(word: Confirmation, envelope: Json) -> Json:
    """One entry of the file: the words, for people, and what was signed."""
    return {"sha256": word.sha256, "by": word.by, "text": word.text, "at": word.at, "envelope": envelope}


def read_confirmation(row: Mapping[str, object]) -> Confirmation:
    """The words of an entry, as far as it has them."""
    said = {name: str(row.get(name) or "").strip() for name in ("sha256", "by", "text", "at")}
    return Confirmation(said["sha256"].removeprefix("sha256:").lower(), said["by"], said["text"], said["at"])
