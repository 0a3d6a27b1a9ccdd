"""Whose keys count: the trust root, which is kept outside every record.

A record can name any key; only this list says that a key is a person's or the server's, since when, and for which
roles. Reading and writing its file is left to `tminus.signing.trust`.
"""

from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.canonical import instant
from tminus.errors import RecordError, RefusedError


class KeyKind(StrEnum):
    """What a key may sign."""

    PERSON = "person"
    """Sign-offs and decisions, in its roles."""
    SERVER = "server"
    """Checkpoints of records."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One public key and what it is trusted for."""

    keyid: str
    """The Ed25519 public key itself: 32 bytes in lower-case hex."""
    name: str
    """The person, as plans name them, or the server."""
    kind: KeyKind
    roles: tuple[str, ...] = ()
    """The roles that a person may sign for; a server has none."""
    valid_from: str = "1970-01-01T00:00:00.000Z"
    valid_until: str | None = None
    """From this instant on, what it signs no longer counts; none while it is in use."""
    simulated: bool = False
    """The key of a simulated person: shown wherever it signed, refused in production."""

    def valid_at(self, at: str) -> bool:
        """Whether the key counts at this instant."""
        signed = instant(at)
        return instant(self.valid_from) <= signed and (
            self.valid_until is None or signed < instant(self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """Every key that counts, retired ones included: old records are verified with them."""

    keys: tuple[TrustedKey, ...] = ()

    def find(self, keyid: str) -> TrustedKey | None:
        """The key with this id, if it was ever enrolled."""
        for key in self.keys:
            if key.keyid == keyid:
                return key
        return None

    def enrolled(self, key: TrustedKey) -> "TrustRoot":
        """The list with this key in it; the same list when it is there already.

        Raises `RefusedError` when the key is known for something else: a key belongs to one person or to the server,
        never to both, and what it was trusted for does not change afterwards. Rotation is another key.
        """
        known = self.find(key.keyid)
        if known == key:
            return self
        if known:
            raise RefusedError(
                f"key {key.keyid[:16]}… is enrolled already, for {known.kind} {known.name} in {list(known.roles)}",
                hint="generate another key; to end the use of this one, retire it",
            )
        _check_roles(key)
        return TrustRoot((*self.keys, key))

    def retired(self, keyid: str, at: str) -> "TrustRoot":
        """The list with the use of this key ended; what it signed before stays good."""
        if not self.find(keyid):
            raise RefusedError(
                f"key {keyid[:16]}… is not enrolled", hint="look into the trust root for its id"
            )
        return TrustRoot(tuple(_ended(key, at) if key.keyid == keyid else key for key in self.keys))

    def signer(self, keyid: str, kind: KeyKind, *times: str) -> TrustedKey:
        """The key, when it counts for this kind of signature at these instants; raises `RecordError` otherwise."""
        key = self.find(keyid)
        if key is None:
            raise RecordError(
                f"key {keyid} is not in the trust root: a stranger signed this",
                hint="if you know whose key it is, enrol it; otherwise do not trust this record",
            )
        if key.kind is not kind:
            raise RecordError(
                f"the key of {key.kind} {key.name} cannot sign as {kind}", hint="do not trust it"
            )
        for at in times:
            if not key.valid_at(at):
                raise RecordError(
                    f"the key of {key.name} was not valid at {at}",
                    hint="ask its owner when the key was retired",
                )
        return key


def _check_roles(key: TrustedKey) -> None:
    if (key.kind is KeyKind.PERSON) != bool(key.roles):
        raise RefusedError(
            f"key of {key.kind} {key.name}: a person's key needs a role, a server's has none",
            hint="name the roles that this person may sign for",
        )


def _ended(key: TrustedKey, at: str) -> TrustedKey:
    instant(at)
    return TrustedKey(key.keyid, key.name, key.kind, key.roles, key.valid_from, at, key.simulated)
