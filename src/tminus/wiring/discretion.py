"""What people type and show is refused where it holds a secret: it would stand in the record for good.

Only what can be told by its form is seen, as in a plan; the refusal never repeats it.
"""

from collections.abc import Iterator, Sequence

from tminus.domain.record import Entry
from tminus.errors import RefusedError
from tminus.planfile.leaks import kind_of_secret

_NOT_SAID = frozenset({"envelope", "evidence"})
"""What is made of words that stand beside it, or stood in the record before."""


def check_said(entries: Sequence[Entry]) -> None:
    """Raise `RefusedError` where words of these entries hold a secret."""
    for entry in entries:
        for text in _texts({name: value for name, value in entry.data.items() if name not in _NOT_SAID}):
            _check("what you say", text)


def check_shown(name: str, content: bytes) -> None:
    """Raise `RefusedError` where a file that somebody shows holds a secret, or its name does."""
    _check("the name of what you show", name)
    for line in content.decode("utf-8", "replace").splitlines():
        _check("what you show", line)


def _check(what: str, text: str) -> None:
    if kind := kind_of_secret(text):
        raise RefusedError(
            f"{what} holds {kind}, which would be kept with the record",
            hint="leave it out, and change the secret if others have seen it",
        )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
