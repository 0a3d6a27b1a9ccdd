"""The blocks of a board, each made of lines that fit into a width; in the order of their importance."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from tminus.board.layout import Block
from tminus.board.model import COUNTED, Board, Meter, Row, Split
from tminus.board.signs import look, said, sign
from tminus.board.waiting import Need
from tminus.picture.events import Entry
from tminus.picture.gauges import Timer
from tminus.picture.liftoff import Step
from tminus.picture.lines import Line
from tminus.picture.rolledback import RolledBack

ROOMY = 96
"""Columns from which everything is spelled out."""
_STEPS = {"done": "passed", "at": "wait", "next": "pending", "todo": "later"}


def blocks(board: Board, width: int) -> list[Block]:
    """Every block that has something to say, from top to bottom."""
    people = [line for need in board.needs if not need.by_itself for line in _need(need, width)]
    alone = [line for need in board.needs if need.by_itself for line in _need(need, width)]
    made = [
        Block("Needs you now", people, least=2, fair=4, right=True),
        Block("Under way, nobody is needed", alone, least=1, fair=2, right=True),
        *_of_view(board, width),
        Block("Log", [_entry(entry) for entry in board.log], fair=6, tail=True, right=True, rank=1),
    ]
    return [block for block in made if block.lines]


def _of_view(board: Board, width: int) -> list[Block]:
    """What only this part of a launch has, beside how the checklist stands."""
    rows = _rows(board.rows, width)
    sections = "Sections, failing first"
    if board.back is not None:
        return [
            Block("What it cost", list(_facts(board.back)), least=2),
            Block(board.back.why, list(_fired(board.back)), least=4),
            Block("What comes now", list(_nexts(board.back)), least=3),
            Block(sections, rows, least=4, rank=3),
        ]
    if board.split is None:
        return [Block(sections, rows, least=6)]
    return [
        Block("Traffic", list(_traffic(board.split, width)), least=3),
        Block("Guard: evidence against green", [_meter(each, width) for each in board.meters], least=5),
        Block("Rollback triggers", [_timer(each, width) for each in board.timers], least=5),
        Block("Checklist", [_summary(board.rows)], right=True),
        Block("Success criteria", [_criterion(line) for line in board.criteria], least=3, rank=2),
        Block(sections, rows, least=4, right=True, rank=3),
    ]


def _need(need: Need, width: int) -> Iterator[Text]:
    """What is needed and why, on one line where it fits; then what to do."""
    first = Text.assemble(sign(need.sign), " ", (need.sign, look(need.sign)), " ", said(need.what, "bold"))
    if need.who:
        first.append_text(said(f" · {need.who}", "dim"))
    why = said(need.why)
    if need.why and first.cell_len + why.cell_len + 2 <= width:
        yield first.append(": ").append_text(why)
    else:
        yield first
        if need.why:
            yield Text("  ").append_text(why)
    if need.do:
        yield Text.assemble("  ", ("do: ", "bold"), said(need.do))


def _traffic(split: Split, width: int) -> Iterator[Text]:
    """The bar: green is solid and blue is dotted, so that they differ without colour too."""
    ends = len(" green 100 % ") + len(" blue 100 % ")
    size = max(8, width - ends)
    green = round(size * split.green / 100)
    yield Text.assemble(
        (f"green {split.green} % ", "green"),
        ("█" * green, "green"),
        ("░" * (size - green), "blue"),
        (f" blue {100 - split.green} %", "blue"),
    )
    yield said(_shares(split, width))
    if split.ladder:
        yield Text("   ").join([_step(step, spelled=width >= ROOMY) for step in split.ladder])


def _shares(split: Split, width: int) -> str:
    """What was set and seen; where it is narrow, how many requests come a second goes before the interval does."""
    whole = f"  {split.words} {split.interval}"
    if not split.interval or len(whole) <= width:
        return whole
    return f"  {split.words.rpartition(', ')[0]} {split.interval}"


def _step(step: Step, *, spelled: bool) -> Text:
    """One rung; where it is narrow, only the one under way has words."""
    name, at = _STEPS[step.state], step.state == "at"
    told = f"{step.percent} %"
    if at or spelled:
        told += f" {step.words}"
    if at:
        told += f", {step.requests}"
    return Text.assemble(sign(name), " ", said(told, "bold" if at else ""))


def _meter(meter: Meter, width: int) -> Text:
    told = f"{meter.value:>7} {meter.limit}"
    size = max(8, min(60, width - 2 - 29 - 1 - 30))
    name = Text(meter.claim)
    name.truncate(29, overflow="ellipsis", pad=True)
    at = min(size - 1, round(size * meter.mark))
    full = min(size, round(size * meter.filled))
    bar = Text.assemble(("━" * full, look(meter.sign)), ("─" * (size - full), "dim"))
    bar = Text.assemble(bar[:at], ("┃", "bold red"), bar[at + 1 :])
    return Text.assemble(sign(meter.sign), " ", name, bar, " ", (told, ""))


def _timer(timer: Timer, width: int) -> Text:
    name = said(timer.text)
    name.truncate(43, overflow="ellipsis", pad=True)
    boxes = Text(" " * 6)
    if timer.filled is not None:
        full = round(5 * timer.filled)
        boxes = Text.assemble(("■" * full, "bold red"), ("□" * (5 - full), "dim"), " ")
    made = Text.assemble(
        sign(timer.sign), " ", name, f"{timer.value:>7} ", boxes, (timer.held, look(timer.sign))
    )
    if width >= ROOMY:
        made.append(f"  {timer.does}; {timer.seen}", style="dim")
    return made


def _rows(rows: Sequence[Row], width: int) -> list[Text]:
    """The sections by verdict; where it is narrow, a column in which nothing stands is left out."""
    always = {"failed", "unknown", "pending", "passed"}
    shown = [
        name for name in COUNTED if width >= ROOMY or name in always or any(row.counts[name] for row in rows)
    ]
    size = max(12, min(34, width - 2 - sum(len(name) + 1 for name in shown)))
    head = Text(" " * (size + 2), style="dim")
    for name in shown:
        head.append(f" {name}", style="dim")
    return [head, *(_row(row, shown, size) for row in rows)]


def _row(row: Row, shown: Sequence[str], size: int) -> Text:
    name = said(row.name)
    name.truncate(size, overflow="ellipsis", pad=True)
    made = Text.assemble(sign(row.sign), " ", name)
    for column in shown:
        number = row.counts[column]
        made.append(f" {number or '·':>{len(column)}}", style=look(column) if number else "dim")
    return made


def _summary(rows: Sequence[Row]) -> Text:
    """The whole checklist in one line."""
    told = []
    for name in COUNTED:
        number = sum(row.counts[name] for row in rows)
        if number:
            told.append(Text.assemble(sign(name), " ", (f"{number} {name}", look(name))))
    return Text("  ").join(told)


def _criterion(line: Line) -> Text:
    made = Text.assemble(
        sign(line.stands), " ", (f"{line.stands:<8}", look(line.stands)), " ", said(line.check.text)
    )
    return made.append_text(said(f": {line.why}", "dim")) if line.why else made


def _facts(back: RolledBack) -> Iterator[Text]:
    """The figures; those in hand of two to a line."""
    facts = [
        Text.assemble((f"{fact.value} {fact.unit}".strip(), "bold"), " ", said(fact.text))
        for fact in back.facts
    ]
    for first in range(0, len(facts), 2):
        yield Text("   ").join(facts[first : first + 2])


def _fired(back: RolledBack) -> Iterator[Text]:
    fired = back.fired
    if fired.rule and fired.text:
        yield Text.assemble(sign("failed"), " ", (fired.rule, look("failed")), " ", said(fired.text))
    elif fired.text:
        yield Text.assemble(sign(back.sign), " ", said(fired.text))
    if fired.rows:
        yield Text(f"  {'':<12}{'green':>12}{'blue':>12}", style="dim")
    for name, green, blue, counted in fired.rows:
        yield Text(f"  {name:<12}{green:>12}{blue:>12}", style="bold" if counted else "")
    if fired.evidence:
        yield said(f"  evidence {fired.evidence}")
    if fired.trigger:
        yield said(f"  the checklist's own trigger ({fired.trigger}) had held {fired.timer}", "dim")


def _nexts(back: RolledBack) -> Iterator[Text]:
    for each in back.nexts:
        made = Text.assemble(sign(each.sign), " ", (f"{each.word:<6} ", look(each.sign)), said(each.text))
        yield made.append_text(said(f": {each.why}", "dim")) if each.why else made
    for command in back.by_hand if not back.nexts else ():
        yield said(f"  {command}", "dim")


def _entry(entry: Entry) -> Text:
    return Text.assemble(
        (f"{entry.t:>9} ", "dim"),
        sign(entry.sign),
        " ",
        (f"{entry.word:<11} ", look(entry.sign or "pending")),
        said(entry.text),
    )
