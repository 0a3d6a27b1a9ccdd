"""Importing a checklist again: what stands in the plan that is there, and what a merge would change or has changed."""

from collections.abc import Iterator
from pathlib import Path

from tminus import files
from tminus.checklist import Form
from tminus.cli import outputs
from tminus.domain.argument import shown
from tminus.domain.canonical import JsonValue
from tminus.errors import RefusedError
from tminus.importing import merging
from tminus.planfile.nodes import MAX_BYTES, Map, parsed

_LISTED = 50
"""Differences of one kind that are listed; the rest is counted."""
_WIDEST = 60


def there(target: Path, file: Path) -> str | None:
    """The plan that an import wrote there; nothing where there is no file.

    Raises `RefusedError` for any other file: one written by hand, a base of other plans, the checklist itself.
    """
    if not outputs.exists(target):
        return None
    outputs.may_write(target, [file], force=True)
    try:
        text = files.regular(target, MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not merging.is_imported(text):
        raise RefusedError(
            f"{target} is there already and is no plan that an import wrote; it was left as it is",
            hint="write to another file with -o",
        )
    return text


def forms(text: str) -> frozenset[Form]:
    """The further forms of boxes that were read when this plan was imported."""
    tree, _ = parsed(text, "the plan")
    source = tree.get("source") if isinstance(tree, Map) else None
    also = source.get("also") if isinstance(source, Map) else None
    return frozenset(form for form in Form if also and f"{form}s" in also)


def refusal(target: Path, merged: merging.Merged) -> RefusedError:
    """What is said instead of writing over a plan."""
    told = "\n".join(["a merge would do this:", *_differences(merged)])
    return RefusedError(
        f"{target} is there already and was left as it is; {told}",
        hint="--merge does it; -o FILE writes a plan beside; --force makes this one anew and loses its edits",
    )


def as_text(target: Path, merged: merging.Merged) -> str:
    """What a merge has done, for people."""
    return "\n".join([f"merged into {target}", *_differences(merged), f"next: tminus plan check {target}"])


def as_json(target: Path, merged: merging.Merged) -> dict[str, JsonValue]:
    """The same for programs."""
    return {
        "plan": str(target),
        "added": [*merged.added],
        "gone": [*merged.gone],
        "kept": [
            {"id": one.id, "key": one.key, "yours": one.yours, "checklist": one.checklist}
            for one in merged.kept
        ],
    }


def _differences(merged: merging.Merged) -> Iterator[str]:
    yield f"  {len(merged.added)} new in the checklist, added"
    yield from _some(merged.added)
    yield f"  {len(merged.gone)} gone from the checklist, kept as your own lines: take out what nobody needs"
    yield from _some(merged.gone)
    yield f"  {len(merged.kept)} values kept as they stand in the plan, where the checklist alone would give another"
    yield from _some(
        [f"{one.id}: `{one.key}` {_short(one.yours)}, not {_short(one.checklist)}" for one in merged.kept]
    )
    if merged.kept:
        yield "  the last import is not kept, so what nobody edited is kept too: for an unedited plan use --force"


def _some(entries: list[str]) -> Iterator[str]:
    yield from (f"    {entry}" for entry in entries[:_LISTED])
    if len(entries) > _LISTED:
        yield f"    and {len(entries) - _LISTED} more"


def _short(value: JsonValue) -> str:
    text = "nothing" if value is None else shown(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
