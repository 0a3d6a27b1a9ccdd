"""What the options of `tminus make` must be; raises `UsageError`, without a word of what may be a secret."""

import math
from urllib.parse import urlsplit

from tminus.domain.resourcenames import is_label_key, is_label_value, is_subdomain
from tminus.errors import UsageError
from tminus.http import is_address

_PATHS = ("/", "./", "../")
_PORTS = range(1, 65536)


def demand_address(option: str, text: str, example: str) -> None:
    """An http address without a login, which would stand in a file that others read."""
    if is_address(text) and "@" in urlsplit(text).netloc:
        raise UsageError(
            f"{option} holds a login, and what is made would hold it too", hint=f"write {option} {example}"
        )
    if not is_address(text):
        raise UsageError(f"{text!r} is no address", hint=f"write {option} {example}")


def demand_path(option: str, text: str, example: str) -> None:
    """The path of a file that holds a secret, never the secret."""
    if not text.startswith(_PATHS) or text.endswith("/") or "://" in text:
        raise UsageError(
            f"{option} is no path of a file, which begins with / or ./",
            hint=f"lay the secret into a file and write {option} {example}",
        )


def demand_mail_server(option: str, text: str) -> None:
    """A mail server's host and port."""
    hint = f"write {option} mail.example.org:587"
    host, _, port = text.rpartition(":")
    if not host and port.isdecimal():
        raise UsageError(f"{option} {text!r} names no host", hint=hint)
    if not host or not port.isdecimal():
        raise UsageError(f"{option} {text!r} names no port", hint=hint)
    if int(port) not in _PORTS:
        raise UsageError(f"{option}: there is no port {port}; the highest is {_PORTS[-1]}", hint=hint)
    if any(sign in host for sign in "/@") or host.split() != [host]:
        raise UsageError(f"{option} is no host and port alone", hint=hint)


def demand_object_name(option: str, text: str) -> None:
    """A name that Kubernetes takes for an object."""
    if not is_subdomain(text):
        raise UsageError(
            f"{option} {text!r} is no name of an object in Kubernetes",
            hint=f"write {option} shop-alerts: small letters, digits, `-` and `.`",
        )


def demand_label(option: str, name: str, value: str) -> None:
    """A label that Kubernetes takes."""
    if not is_label_key(name) or not is_label_value(value):
        raise UsageError(
            f"{option} '{name}={value}' is no label in Kubernetes",
            hint=f"write {option} release=prometheus: letters, digits, `-`, `_` and `.`, at most 63 of them",
        )


def demand_number(option: str, number: float) -> None:
    """A number that something can be above."""
    if not math.isfinite(number):
        raise UsageError(f"{option} {number} is no number that is ever reached", hint=f"write {option} 0.1")
