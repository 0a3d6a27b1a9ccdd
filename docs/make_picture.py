# ruff: noqa: INP001 - a script beside the docs, not a package
"""Draw a stored launch as a terminal showed it: `make picture RECORD=FILE` writes `docs/picture.svg`.

The lines are those that `tminus demo` prints for the record's own events, from the poll to the end. Left out are whole
events, never words within one. The SVG needs nothing from the network.
"""

import re
import sys
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tminus.demo.screen import Screen
from tminus.domain.record import Event, read

COLUMNS = 110
CELL = 12.2
"""The width of one character in rich's SVG."""
PICTURE = Path(__file__).parent / "picture.svg"
SHOWN = frozenset(
    {
        "poll.opened",
        "signoff.given",
        "decision.made",
        "step.done",
        "traffic.seen",
        "launch.held",
        "rollback.done",
        "rollback.seen",
        "side.stopped",
        "rollback.proved",
        "launch.ended",
    }
)
THEME = TerminalTheme(
    (22, 27, 34),
    (222, 227, 234),
    [
        (110, 118, 129),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (222, 227, 234),
    ],
)


def draw(events: Iterable[Event], title: str) -> str:
    """The picture of these events."""
    terminal = StringIO()
    told = Console(
        width=COLUMNS, file=terminal, force_terminal=True, highlight=False, color_system="truecolor"
    )
    screen = Screen(told, as_json=False)
    for event in events:
        if event.type in SHOWN:
            screen.show(event)
    paper = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, highlight=False)
    paper.print(Text.from_ansi(terminal.getvalue()))
    return _alone(paper.export_svg(title=title, theme=THEME, unique_id="picture"))


def _alone(svg: str) -> str:
    """The same picture without fonts from elsewhere, and with every word at its own place.

    Some programs drop spaces before a word, which then stands too far left; so its place says where it begins.
    """
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"font-family: [^;]+;", "font-family: ui-monospace, Menlo, 'DejaVu Sans Mono', monospace;", svg
    )
    svg = re.sub(r'x="([\d.]+)"( y="[\d.]+") textLength="([\d.]+)"([^>]*>)((?:&#160;)+)', _moved, svg)
    return re.sub(r"\n[ \t]*(?=\n)", "", svg)


def _moved(found: re.Match[str]) -> str:
    x, y, length, between, spaces = found.groups()
    shift = len(spaces) // len("&#160;") * CELL
    return f'x="{float(x) + shift:g}"{y} textLength="{float(length) - shift:g}"{between}'


def main(record: Path) -> None:
    """Draw one record into the docs."""
    events = list(read([record.read_bytes()]))
    PICTURE.write_text(draw(events, "make demo RELEASE=errors"), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
