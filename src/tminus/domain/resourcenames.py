"""Names as Kubernetes takes them; source: its documentation of object names, labels and selectors."""

import re

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def is_label(text: str) -> bool:
    """Whether a namespace or Service may be called so: a label of RFC 1123."""
    return bool(_LABEL.fullmatch(text))


def is_subdomain(text: str) -> bool:
    """Whether most other objects may be called so: a subdomain of RFC 1123."""
    return bool(_SUBDOMAIN.fullmatch(text))


def is_label_key(text: str) -> bool:
    """Whether an object's label may be called so: `release`, `example.org/release`."""
    prefix, slash, name = text.rpartition("/")
    return bool(_WORD.fullmatch(name)) and (not slash or is_subdomain(prefix))


def is_label_value(text: str) -> bool:
    """Whether an object's label may have this value."""
    return not text or bool(_WORD.fullmatch(text))
