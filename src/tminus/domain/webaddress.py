"""What is wrong with an address, in words that show nothing of it: what stands in it may be a login."""

import re
from urllib.parse import urlsplit

NO_HTTP = "is no http address; let it begin with http:// or https:// and a host"
_LOGIN = "has a login that ends too early; in its password write / as %2F, # as %23 and ? as %3F"
_PORT = "has a port that is no number from 1 to 65535; correct what stands behind the last colon of the host"
_BLANK = "has a blank in its host; take it out"


def unreachable(text: str) -> str:
    """What is wrong with an address of any scheme, and what to write; empty for one that may be reached."""
    rest = text.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    cut = "@" in rest and "@" not in authority
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        return _LOGIN if cut else _PORT
    if port == 0:
        return _PORT
    if not host and cut:
        return _LOGIN
    return _BLANK if host and host.split() != [host] else ""


def no_web(text: str) -> str:
    """What is wrong with the address of a web server, and what to write; empty for a right one."""
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in {"http", "https"} or not rest:
        return NO_HTTP
    return unreachable(text) or ("" if urlsplit(text).hostname else NO_HTTP)
