"""Ed25519 keys: made, kept in files that only their owner can read, and refused when they are weak.

A key's id is the public key itself in hex, so that an envelope can be checked against its own key and nothing but
the trust root says whose key that is.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.signer import (  # type: ignore[attr-defined] # its public names, not listed in __all__
    CryptoSigner,
    SSlibKey,
)

from tminus import files
from tminus.errors import RecordError, RefusedError

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _EIGHTH, _P - _EIGHTH})
"""The y of the eight points of order 1, 2, 4 and 8: https://hdevalence.ca/blog/2020-10-04-its-25519am."""
_KEYID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signer:
    """One person's, or the server's, private key."""

    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> Self:
        """Read a key from its file; raises `RefusedError` when others can read it, or it does not open."""
        try:
            if path.stat().st_mode & 0o077:
                raise RefusedError(f"{path}: others can read this private key", hint=f"chmod 600 {path}")
            private = load_pem_private_key(path.read_bytes(), passphrase.encode() if passphrase else None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise RefusedError(
                f"{path}: the private key does not open: {error}", hint="check the path and the passphrase"
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise RefusedError(f"{path}: not an Ed25519 key", hint="generate one with tminus")
        return cls(private)

    def save(self, path: Path, passphrase: str | None = None) -> None:
        """Write the key, PEM and PKCS #8, readable by its owner alone; raises `RefusedError` when the file exists."""
        lock: KeySerializationEncryption = NoEncryption()
        if passphrase:
            lock = BestAvailableEncryption(passphrase.encode())
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        try:
            files.write_new(path, pem, 0o600)
        except FileExistsError as error:
            raise RefusedError(
                f"{path}: a key is there already", hint="keep it, or choose another path"
            ) from error
        except OSError as error:
            raise RefusedError(
                f"{path}: cannot be written: {error.strerror}", hint="choose another path"
            ) from error

    @classmethod
    def load_or_create(cls, path: Path, passphrase: str | None = None) -> Self:
        """The key of this file, made when there is none; two processes at once get the same one."""
        if not path.exists():
            try:
                cls.generate().save(path, passphrase)
            except RefusedError:
                if not path.exists():
                    raise
        return cls.load(path, passphrase)

    @property
    def keyid(self) -> str:
        """The public key in hex: what the trust root lists."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def crypto(self) -> CryptoSigner:
        """The same key as securesystemslib signs with."""
        return CryptoSigner(self._private, SSlibKey.from_crypto(public_key(self.keyid), self.keyid))


@lru_cache(maxsize=1024)  # a launch has few keys, and each of them signs often
def public_key(keyid: str) -> Ed25519PublicKey:
    """The key with this id, to verify with; raises `RecordError` for a weak one."""
    check_public_key(keyid)
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(keyid))


def check_public_key(keyid: str) -> None:
    """Refuse a key under which one signature could fit many messages.

    Raises `RecordError` for points of small order, other spellings of a point (RFC 8032, 5.1.3) and what is no point
    at all. OpenSSL, and so `cryptography`, accepts the first two.
    """
    if not _KEYID.fullmatch(keyid):
        raise _weak(keyid, "a key id is 64 lower-case hex digits")
    spelled = int.from_bytes(bytes.fromhex(keyid), "little")
    y = spelled & (2**255 - 1)
    if y >= _P:
        raise _weak(keyid, "not the canonical spelling of a point")
    if y in _SMALL_ORDER_Y:
        raise _weak(keyid, "a point of small order")
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise _weak(keyid, "not on the curve")


def _weak(keyid: str, why: str) -> RecordError:
    return RecordError(f"public key {keyid[:64]!r} is refused: {why}", hint="generate a key with tminus")
