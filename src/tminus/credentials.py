"""What opens a system, in every form in which its answer could repeat it; and words without any of it.

Servers and proxies repeat a request in what they refuse: its headers, its query. Whatever is quoted of an answer goes
through `without` first.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

TELLING = 4
"""Characters from which a secret is told apart from ordinary words."""
INSTEAD = "…"
"""What stands in the place of a secret."""

_SHOWN_WITH = frozenset({"authorization", "proxy-authorization", "cookie", "x-vault-token"})
"""The headers that hold secrets, in small letters."""


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with nothing of these secrets; the longest are taken out first, since they hold the shorter ones."""
    for secret in sorted({one for one in secrets if len(one) >= TELLING}, key=len, reverse=True):
        text = text.replace(secret, INSTEAD)
    return text


def forms(*, address: str = "", headers: Mapping[str, str] | None = None) -> frozenset[str]:
    """What an address and headers hold that opens a system: as written, decoded, encoded, and as JSON has it."""
    if not headers and "@" not in address and "?" not in address:
        return frozenset()  # as most are, and each check asks
    found = {*in_address(address)}
    for name, value in (headers or {}).items():
        if name.lower() in _SHOWN_WITH:
            found.update(_in_header(value))
    found |= {quote(one, safe="") for one in found}
    found |= {json.dumps(one)[1:-1] for one in found}
    return frozenset(found - {""})


def in_address(address: str) -> Iterator[str]:
    """The login of an address, whole and its password alone, its query, and what HTTP Basic makes of the login."""
    login = address.partition("://")[2].rpartition("@")[0]
    user, _, password = login.partition(":")
    try:
        query = urlsplit(address).query
    except ValueError:
        query = ""
    # A name alone is not secret; where nothing follows it, it is the token.
    parts = [login, password or user, query, *(one for _, one in parse_qsl(query))]
    yield from parts
    yield from map(unquote, parts)
    if login:
        yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def _in_header(value: str) -> Iterator[str]:
    """A header's value, what follows its scheme (`Bearer`, `Token token=`), and the login that Basic encodes."""
    scheme, _, shown = value.partition(" ")
    yield value
    if not shown:
        return
    yield shown
    yield shown.partition("=")[2] if shown.startswith("token=") else shown
    if scheme.lower() == "basic":
        try:
            login = b64decode(shown).decode()
        except (binascii.Error, UnicodeDecodeError):
            return  # it is no login, and was yielded as it is
        user, _, password = login.partition(":")
        yield login
        yield password or user
