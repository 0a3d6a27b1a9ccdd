"""Whether a signature counts: by whose key it is, for which role, then and when it was recorded."""

from tminus.domain.report import Signature
from tminus.domain.trust import KeyKind, TrustRoot
from tminus.errors import RecordError

_HINT = "do not rely on this launch: its record does not prove what it says"


def check_trusted(trust: TrustRoot, vote: Signature, recorded_at: str) -> None:
    """Raise `RecordError` unless the trust root gives this key to this person for this role, at both times."""
    key = trust.signer(vote.keyid, KeyKind.PERSON, vote.at)
    trust.signer(vote.keyid, KeyKind.PERSON, recorded_at)
    if key.name != vote.person:
        raise RecordError(f"signed as {vote.person}, but with the key of {key.name}", hint=_HINT)
    if vote.role not in key.roles:
        raise RecordError(
            f"{key.name} may not sign as {vote.role}, only as {', '.join(key.roles)}", hint=_HINT
        )
    if key.simulated != vote.simulated:
        raise RecordError(
            f"{key.name} is {'' if key.simulated else 'not '}simulated, but signed otherwise", hint=_HINT
        )
