"""The comments of an imported plan: what each block is for, and above a guessed line what was guessed."""

from tminus.importing import choices, limits
from tminus.importing.assembling import Imported
from tminus.importing.entries import Line, Understanding
from tminus.importing.yamltext import emitted

_BLOCKS = {
    "source": ("The checklist that this plan was made from; `tminus export` hands it back, ticked.",),
    "production": ("A production plan leaves no line out: set to true when `omitted` is empty.",),
    "release": ("What is launched: the names of the components.",),
    "systems": (
        "Where to look. Write an address or a reference to one: env:NAME or file:PATH. Empty is to fill.",
    ),
    "roles": (
        "Who answers, signs and decides. One person signs one role. Empty or a placeholder is to fill.",
    ),
    "contacts": ("Whom to call.",),
    "document": ("What the checklist says of itself.",),
    "figures": ("Figures that the document claims.",),
    "milestones": ("When lines fall due, from T-0.",),
    "checks": (
        "The lines that are observed or attested. `probe` looks at a system, `attest` asks a person,",
        "`of` is the worst of other lines, `step` a step of the launch, `sign` a signature.",
    ),
    "omitted": (
        "Lines that wait for a probe which is not built yet. They are counted and signed as left out.",
    ),
    "rollout": ("How traffic moves to the new release: the built-in plan's steps; a checklist gives none.",),
    "triggers": ("What rolls the release back.",),
}
_HEAD = """\
# Imported from {path}: {understood} lines understood, {guessed} guessed, {left} left to a person.
# Guesses have a comment above their line: look at each. `tminus plan check` says what is wrong and what is to fill.
"""


def text(imported: Imported) -> str:
    """The plan as YAML that people go on with."""
    document = imported.document
    data = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    comments: dict[str, tuple[str, ...]] = {name: lines for name, lines in _BLOCKS.items() if name in data}
    comments |= remarks(imported)
    counts = count(imported)
    head = _HEAD.format(
        path=_one_line(document.source.path if document.source else ""),
        understood=counts[Understanding.UNDERSTOOD],
        guessed=counts[Understanding.GUESSED],
        left=counts[Understanding.LEFT],
    )
    return head + emitted(data, comments)


def remarks(imported: Imported) -> dict[str, tuple[str, ...]]:
    """By id of a line: what is to be said of it, for a person to look at."""
    found = {line.id: _remark(line) for line in imported.lines}
    for name, chosen in choices.by_entry(imported).items():
        found[name] = (
            *found.get(name, ()),
            *(f"chosen: `{one.key}` {one.value}, {one.why}" for one in chosen),
        )
    return {name: remark for name, remark in found.items() if remark}


def count(imported: Imported) -> dict[Understanding, int]:
    """How many lines were understood, guessed, and left to a person."""
    every = [line.understanding for line in imported.lines]
    return {understanding: every.count(understanding) for understanding in Understanding}


def _remark(line: Line) -> tuple[str, ...]:
    remarks = []
    if line.understanding is Understanding.GUESSED:
        remarks.append(
            f"guessed: the words are like those of {line.known} ({line.entry.confidence:.2f}); is it meant?"
        )
    if line.guess:
        remarks.append(f"guessed due: {line.entry.due}, {line.guess}")
    if line.known and (strange := limits.not_taken_over(line.item.limits, line.entry)):
        remarks.append(f"its own figures were not taken over: {', '.join(strange)}")
    if line.kept_apart:
        remarks.append(f"its words are close to those of {line.kept_apart}, not taken because of the heading")
    return tuple(remarks)


def _one_line(path: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in path)
