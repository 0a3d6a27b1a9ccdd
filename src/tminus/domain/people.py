"""Whether two names are one person's, however they are typed."""

import unicodedata

_JOINERS = frozenset("\u200c\u200d")


def alike(name: str) -> str:
    """A form of a name that is the same for every way of typing it; empty for one of which nothing can be seen.

    Unicode's compatible forms (NFKC) are one, and so are capitals and small letters; blanks and what is invisible, such
    as a zero-width space or a soft hyphen, do not count. Letters of other scripts that only look alike, left-out
    accents, initials and nicknames stay different.
    """
    composed = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in composed if letter.isprintable() and not letter.isspace())


def shows_itself(text: str) -> bool:
    """Whether a name or a role is on every screen what it is: nothing in it moves a cursor or turns the reading.

    The two joiners that some scripts write within words are part of a name.
    """
    return all(
        letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs" for letter in text
    )
