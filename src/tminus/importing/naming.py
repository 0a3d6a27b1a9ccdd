"""Names for lines that no known line means: short, readable, each once."""

import re
import unicodedata

_LONGEST = 36
"""With a number behind it still no longer than a role's id may be."""


def slug(text: str) -> str:
    """The words of a text as an identifier in plain ASCII, cut at a word; empty when nothing can be spelled so."""
    spelled = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", spelled.lower())
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word
        if len(longer) > _LONGEST:
            break
        name = longer
    return name or "".join(words)[:_LONGEST]


class Names:
    """Hands out every name once; a second asker gets `-2`."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """The wanted name, or the next free one made of it."""
        count = self._taken.get(wanted, 0) + 1
        self._taken[wanted] = count
        if count == 1:
            return wanted
        return self.take(f"{wanted}-{count}")
