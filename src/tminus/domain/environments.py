"""Names of environments: where a launch takes place, and what one launch at a time may have."""

import re

DEFAULT = "production"
"""Where a launch takes place when nobody says another name."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def named(text: str) -> str:
    """The name of an environment; raises `ValueError` for one that could not stand in names of launches and files."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:70]!r} is no name of an environment; write at most 63 letters, digits, `-`, `_` or `.`,"
            " a letter or digit first"
        )
    return text
