"""The keys of this machine's people: one pair of files for each key, the private one locked with a passphrase.

The public part is what a person hands to whoever keeps the trust root. What it says of its owner is a wish: only the
trust root says whose key it is, and for which roles.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tminus import files
from tminus.domain import fields
from tminus.domain.people import alike, shows_itself
from tminus.errors import PartError, RecordError, RefusedError, UsageError
from tminus.signing.keys import Signer, check_public_key

LEAST = 8
"""Characters of a passphrase: what guards the file while somebody else has a copy of it."""
_MOST = 64 * 1024
"""Bytes of the public part."""
_LONGEST_NAME, _LONGEST_ROLE = 200, 64
"""Characters."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public part of a person's key, as it is handed on."""

    keyid: str
    name: str
    """The person, as plans name them."""
    roles: tuple[str, ...]
    """The roles that the person means to sign for."""


class People:
    """The keys of people in one folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys" / "people"

    def new(self, name: str, roles: Sequence[str], passphrase: str) -> PublicKey:
        """Make a key for a person, beside those that they have: rotation is another key.

        Raises `RefusedError` for a name of which nothing can be seen, no roles, or a passphrase that is too short.
        """
        if len(passphrase) < LEAST:
            raise RefusedError(
                f"the passphrase has {len(passphrase)} characters", hint=f"take {LEAST} or more"
            )
        if not roles or not all(role.strip() for role in roles):
            raise RefusedError(
                f"a key of {name} needs a role", hint="name the plan's id of it, such as --role qa"
            )
        if wrong := _unfit(name, roles):
            raise RefusedError(wrong, hint="write both as the plan does")
        signer = Signer.generate()
        public = PublicKey(signer.keyid, name, tuple(dict.fromkeys(roles)))
        private = self._private(public)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            signer.save(private, passphrase)
            content = json.dumps(asdict(public), indent=2, ensure_ascii=False).encode() + b"\n"
            files.write_new(self.public_file(public), content, 0o644)
        except OSError as error:
            raise PartError(
                f"{private}: the key cannot be kept: {error.strerror}",
                hint="set TMINUS_HOME to a folder of yours",
            ) from error
        return public

    def all(self) -> list[PublicKey]:
        """Every key of this machine's people, by file name."""
        return [read_public(path) for path in sorted(self._folder.glob("*.pub.json"))]

    def of(self, name: str) -> list[PublicKey]:
        """The keys of one person, however the name is typed."""
        return [key for key in self.all() if alike(key.name) == alike(name)]

    def public_file(self, key: PublicKey) -> Path:
        """Where the public part lies."""
        return self._folder / f"{_stem(key)}.pub.json"

    def open(self, key: PublicKey, passphrase: str) -> Signer:
        """The private key; raises `RefusedError` when the passphrase is wrong or the file is another key's."""
        signer = Signer.load(self._private(key), passphrase)
        if signer.keyid != key.keyid:
            raise RefusedError(
                f"{self._private(key)} is not the key that its public part names",
                hint="restore both files from a copy, or make a new key",
            )
        return signer

    def _private(self, key: PublicKey) -> Path:
        return self._folder / f"{_stem(key)}.pem"


def read_public(path: Path) -> PublicKey:
    """The public part in a file; raises `UsageError` when it cannot be read or is none."""
    try:
        content = json.loads(files.regular(path, _MOST))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: the public key cannot be read: {error}",
            hint="name the file that `tminus key new` wrote",
        ) from error
    try:
        return _public(content)
    except RecordError as error:
        raise UsageError(
            f"{path} is no public key: {error}", hint="name the file that `tminus key new` wrote"
        ) from error


def _public(content: object) -> PublicKey:
    if not isinstance(content, Mapping):
        raise RecordError("not an object", hint="name another file")
    fields.exactly(content, tuple(PublicKey.__slots__))
    keyid = fields.text(content, "keyid")
    check_public_key(keyid)
    key = PublicKey(keyid, fields.text(content, "name"), tuple(fields.texts(content, "roles")))
    if wrong := _unfit(key.name, key.roles):
        raise RecordError(wrong, hint="have the key made anew, with the name as the plan writes it")
    return key


def _unfit(name: str, roles: Sequence[str]) -> str:
    """Why nobody should be shown this name or these roles; empty for those of people."""
    for what, text, most in (
        ("the name", name, _LONGEST_NAME),
        *(("a role", r, _LONGEST_ROLE) for r in roles),
    ):
        if len(text) > most:
            return f"{what} has {len(text)} characters, more than {most}"
        if not shows_itself(text):
            return f"{what} {text!a} holds characters that are not seen or turn what is"
    return ""


def _stem(key: PublicKey) -> str:
    """A file name made of letters and digits of the name alone, whatever else stands in it."""
    seen = unicodedata.normalize("NFKC", key.name).casefold()
    words = re.sub(r"[\W_]+", "-", seen).strip("-")
    if not words or len(words.encode()) > 150:
        raise RefusedError(
            f"{key.name!r} is no name of a person", hint="write it as the plan does, in letters"
        )
    return f"{words}.{key.keyid[:8]}"
