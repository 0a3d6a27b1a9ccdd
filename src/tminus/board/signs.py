"""How each standing looks in a terminal: a sign and one of the terminal's own colours, beside the word."""

from rich.text import Text

SIGNS = {
    "passed": ("✔", "green"),
    "attested": ("✔", "green"),
    "go": ("✔", "bold green"),
    "failed": ("✖", "bold red"),
    "back": ("↩", "bold red"),
    "unknown": ("?", "bold magenta"),
    "stale": ("~", "bold magenta"),
    "warned": ("▲", "bold yellow"),
    "hold": ("‖", "bold yellow"),
    "wait": ("▶", "bold cyan"),
    "pending": ("○", ""),
    "later": ("·", "dim"),
    "na": ("∅", "dim"),
    "n/a": ("∅", "dim"),
    "waived": ("∅", "dim"),
    "void": ("■", "bold"),
    "left out": ("·", "dim"),
}
"""By how something stands. No colour stands alone, and none is a background."""


def sign(name: str) -> Text:
    """The sign of a standing; a blank for what has none."""
    mark, style = SIGNS.get(name, (" ", ""))
    return Text(mark, style=style)


def look(name: str) -> str:
    """The colour of a standing."""
    return SIGNS.get(name, (" ", "bold"))[1]


def said(text: str, style: str = "") -> Text:
    """Words from outside as part of one line: nothing in them may move the cursor or change a colour."""
    return Text("".join(each if each.isprintable() else " " for each in text), style=style)
