"""What the board asks its viewer, and what the viewer types: pure, fed with keys and times.

Two things may be asked at once. Whether to give the launch up comes first, since it was asked for by Ctrl-C; a line
that was being typed waits behind it.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable

from tminus.board.waiting import Question

AGAIN = 3.0
"""Seconds within which a second Ctrl-C gives the launch up."""
PATIENCE = 10.0
"""Seconds after which nobody's answer means that the launch goes on."""
ENTER, RUBOUT, CLEAR = "\r\n", "\b\x7f", "\x15"


class Dialogue:
    """The questions that are open, and the keys that answer them."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._consequence: tuple[str, ...] = ()
        self._question = ""
        self._typed = ""
        self._answered: Callable[[str], None] | None = None
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def interrupt(self, now: float, consequence: tuple[str, ...]) -> bool:
        """Take Ctrl-C: whether the launch is to be given up now; the first one only asks."""
        again = self._asked_at is not None and now - self._asked_at <= AGAIN
        self._asked_at, self._consequence = now, consequence
        return again

    def ask(self, question: str, answered: Callable[[str], None]) -> None:
        """Ask for a line; `answered` gets it, without its end."""
        self._question, self._answered, self._typed = question.strip(), answered, ""

    def forget(self) -> None:
        """Ask for no line any more."""
        self._answered = None

    def keys(self, raw: bytes, now: float) -> bool:
        """Take what was typed: whether the launch is to be given up now."""
        for key in self._decoder.decode(raw):
            if self._asking(now):
                if key in "yY":
                    return True
                if key in "nN":
                    self._asked_at = None
            elif self._answered is not None:
                self._type(key, self._answered)
        return False

    def _type(self, key: str, answered: Callable[[str], None]) -> None:
        if key in ENTER:
            typed, self._typed, self._answered = self._typed, "", None
            answered(typed)
        elif key in RUBOUT:
            self._typed = self._typed[:-1]
        elif key in CLEAR:
            self._typed = ""
        elif key.isprintable():
            self._typed += key

    def _asking(self, now: float) -> bool:
        """Whether it is still asked whether to give the launch up; after a while nobody's answer is no."""
        if self._asked_at is not None and now - self._asked_at > PATIENCE:
            self._asked_at = None
        return self._asked_at is not None

    def question(self, now: float) -> Question | None:
        """What is asked now."""
        if self._asking(now) and self._asked_at is not None:
            left = PATIENCE - (now - self._asked_at)
            return Question(
                "Abort the launch?",
                "",
                (
                    *self._consequence,
                    f"y aborts, or Ctrl-C again within {AGAIN:g} s; n goes on, and so does no answer in {left:.0f} s",
                ),
                urgent=True,
            )
        return Question(self._question, self._typed, ()) if self._answered is not None else None
