"""What an import says on the terminal: what it understood, what it guessed, what it left, what would unlock most."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.domain.plan import Severity
from tminus.importing.assembling import Imported
from tminus.importing.choices import choices, counted
from tminus.importing.commenting import count
from tminus.importing.entries import ASIDE, Line, Understanding, Unlock, unlocks
from tminus.planfile.document import LineEntry, OmittedLine

_LISTED = 12
"""Lines of one kind that are listed; the rest is counted."""
_CHOSEN = 24
"""Choices that are listed; they are what nobody else will think of."""
_UNLOCKING = 8


def as_text(imported: Imported, file: Path, target: Path) -> str:
    """For people, ending with the few addresses that would unlock most lines."""
    return "\n".join(
        [*_head(imported, file), *_lines(imported, target), *_unlocking(imported), *_next(imported, target)]
    )


def as_json(imported: Imported, target: Path) -> dict[str, JsonValue]:
    """The same for programs."""
    return {
        "plan": str(target),
        "lines": len(imported.lines),
        **{understanding.name.lower(): number for understanding, number in count(imported).items()},
        "left_out": sum(isinstance(line.entry, OmittedLine) for line in imported.lines),
        "due_guessed": sum(bool(line.guess) for line in imported.lines),
        "kept_apart": {line.id: line.kept_apart for line in imported.lines if line.kept_apart},
        "chosen": [
            {"where": one.where, "key": one.key, "value": one.value, "why": one.why}
            for one in choices(imported)
        ],
        "unlocks": [
            {"system": unlock.system, "lines": unlock.lines, "built": unlock.built}
            for unlock in _unlocks(imported)
        ],
        "lines_repaired": imported.checklist.repaired,
        "boxes_in_code": imported.checklist.fenced,
        "boxes_not_read": imported.checklist.left,
        "odd_boxes": imported.checklist.odd,
    }


def _head(imported: Imported, file: Path) -> Iterator[str]:
    found = imported.checklist
    yield f"{file}: {len(found.items)} boxes, {sum(item.checked for item in found.items)} ticked"
    if found.repaired:
        were = "was" if found.repaired == 1 else "were"
        yield f"  {counted(found.repaired)} {were} decoded wrongly once, and read repaired; the file stays as it is"
    if found.undecodable:
        yield f"  {found.undecodable} bytes are no UTF-8; they stay as they are"
    if found.fenced:
        yield f"  {found.fenced} boxes in code blocks are no lines"
    if found.left:
        yield f"  {found.left} boxes in tables or ballots were not read; --also tables,ballots reads them"
    if found.odd:
        yield f"  {found.odd} points begin like a box and are none (`[-]`, `[]`); a box is `- [ ]` or `- [x]`"
    if not found.triggers:
        yield "  no rollback triggers were found under a heading that names them; the built-in ones hold"


def _lines(imported: Imported, target: Path) -> Iterator[str]:
    counts = count(imported)
    understood = _of(imported, Understanding.UNDERSTOOD)
    yield f"understood        {counts[Understanding.UNDERSTOOD]:>5}  {_how(understood)}".rstrip()
    yield from _left_out(imported)
    yield from _set_aside(imported)
    yield f"guessed           {counts[Understanding.GUESSED]:>5}"
    yield from _listed(_of(imported, Understanding.GUESSED), target)
    yield f"left to a person  {counts[Understanding.LEFT]:>5}  {_signed(imported)}".rstrip()
    yield from _listed(_of(imported, Understanding.LEFT), target)
    yield from _guessed_dues(imported)
    yield from _chosen(imported)


def _chosen(imported: Imported) -> Iterator[str]:
    """What the plan holds that nobody wrote, so that somebody looks at it."""
    made = choices(imported)
    yield f"chosen            {len(made):>5}  values that no word of the checklist gives: change what does not fit"
    for one in made[:_CHOSEN]:
        yield f"  {_short(f'{one.where}: {one.key} {one.value}'):<56}  {one.why}"
    if len(made) > _CHOSEN:
        yield f"  and {len(made) - _CHOSEN} more: --json lists them all"


def _guessed_dues(imported: Imported) -> Iterator[str]:
    """Which lines were given a time that nobody wrote, by the reason for it."""
    guessed = Counter((line.entry.due, line.guess) for line in imported.lines if line.guess)
    if not guessed:
        return
    yield f"guessed due       {guessed.total():>5}  no heading and no word says when; each has a comment in the plan"
    for (due, why), number in guessed.most_common(_LISTED):
        yield f"  {number:>5} at {due:<8} {why}"
    if len(guessed) > _LISTED:
        yield f"  and {sum(number for _, number in guessed.most_common()[_LISTED:])} more"


def _left_out(imported: Imported) -> Iterator[str]:
    """What nobody will look at is said plainly: it is the price of a probe that is not built yet."""
    left_out = [line.entry for line in imported.lines if isinstance(line.entry, OmittedLine)]
    if left_out:
        blockers = sum(entry.severity is Severity.BLOCKER for entry in left_out)
        serious = f" ({blockers} of them blockers)" if blockers else ""
        yield f"LEFT OUT          {len(left_out):>5}  nobody looks at these{serious}: see `omitted` in the plan"


def _set_aside(imported: Imported) -> Iterator[str]:
    """Boxes that are no lines, and no triggers either: a limit in one of them does not hold, and that is said."""
    aside = [line for line in imported.lines if line.system == ASIDE]
    if aside:
        yield f"set aside         {len(aside):>5}  boxes that say when to act; they are no lines and no triggers"
        yield from (f"  line {line.item.line:<5} {_short(line.item.text)}" for line in aside[:_LISTED])
        if len(aside) > _LISTED:
            yield f"  and {len(aside) - _LISTED} more: see `omitted` in the plan"
        yield "  what rolls the release back is written as a point without a box: `- Error rate >2% for 5 minutes`"


def _of(imported: Imported, understanding: Understanding) -> list[Line]:
    return [line for line in imported.lines if line.understanding is understanding]


def _how(understood: Sequence[Line]) -> str:
    waiting = sum(isinstance(line.entry, OmittedLine) for line in understood)
    probed = sum(isinstance(line.entry, LineEntry) and bool(line.entry.probe) for line in understood)
    parts = {
        "observed": probed,
        "waiting for a probe": waiting,
        "asked of people or launch steps, as the built-in plan does": len(understood) - probed - waiting,
    }
    return ", ".join(f"{number} {words}" for words, number in parts.items() if number)


def _listed(lines: Sequence[Line], target: Path) -> Iterator[str]:
    for line in lines[:_LISTED]:
        yield f"  line {line.item.line:<5} {_short(line.item.text):<56}  {_meant(line)}"
    if len(lines) > _LISTED:
        yield f"  and {len(lines) - _LISTED} more: tminus plan show {target}"


def _signed(imported: Imported) -> str:
    """`tminus plan check` counts signatures apart from the lines that ask a person."""
    number = sum(bool(_signer(line)) for line in _of(imported, Understanding.LEFT))
    return f"{number} of them {'a signature' if number == 1 else 'signatures'}" if number else ""


def _signer(line: Line) -> str:
    return line.entry.sign if isinstance(line.entry, LineEntry) else ""


def _meant(line: Line) -> str:
    if line.known:
        return f"{line.known} ({line.entry.confidence:.2f})"
    if role := _signer(line):
        return f"is signed by {role}"
    near = f"; close to {line.kept_apart}, not taken because of the heading" if line.kept_apart else ""
    return f"asks {line.entry.owner}{near}"


def _short(text: str) -> str:
    return text if len(text) <= 56 else f"{text[:55]}…"


def _unlocking(imported: Imported) -> Iterator[str]:
    found = _unlocks(imported)
    if found:
        yield "what would unlock most lines:"
    for unlock in found[:_UNLOCKING]:
        how = f"write systems.{unlock.system}.address" if unlock.built else "its probes are not built yet"
        yield f"  {unlock.system:<16} {counted(unlock.lines):>9}  {how}"


def _unlocks(imported: Imported) -> list[Unlock]:
    """Without the systems whose address is known: the launch itself."""
    known = {name for name, system in imported.document.systems.items() if system.address}
    return [unlock for unlock in unlocks(imported.lines) if unlock.system not in known]


def _next(imported: Imported, target: Path) -> Iterator[str]:
    yield f"wrote {target}"
    guessed = any(line.understanding is Understanding.GUESSED or line.guess for line in imported.lines)
    yield f"next: {'look at the guesses, then ' if guessed else ''}tminus plan check {target}"
