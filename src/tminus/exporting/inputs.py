"""What an export is made of, from files: a plan, a launch's record with its plan, the checklist they came from.

Nothing is taken on trust: a record is verified before it is told, a plan must have the digest that its launch names,
a checklist the digest that its plan names.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tminus import checklist, files, planfile
from tminus.config import home
from tminus.errors import RecordError, RefusedError, UsageError
from tminus.exporting.content import Content
from tminus.exporting.gathering import Planned, of_launch, of_plan
from tminus.exporting.recorded import Recorded, recorded
from tminus.planfile.document import Document
from tminus.planfile.identity import identity
from tminus.planfile.paths import goes_up
from tminus.signing import load_trust, trust_path

RECORD = "record.jsonl"
"""A launch's record in the launch's folder."""
PLAN = "plan.json"
"""Beside a record: the whole document of the launch's plan, whose identity the record names."""
CHECKLIST = "checklist.md"
"""Beside a record: the checklist's bytes, where the path in the plan leads nowhere from there."""

_FIRST = b'{"at":'
"""What every record begins with: its events are canonical JSON, and `at` is their first key."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is exported, and where it was found."""

    content: Content
    document: Document | None
    """None for a launch whose plan is not at hand."""
    plan_file: Path | None
    files: tuple[Path, ...]
    """Every file that was read, or would have been, so that none of them is written over."""
    remark: str = ""
    """What a person should know about this export."""


def gathered(what: str, plan: Path | None, trust: Path | None, *, problems: bool) -> Inputs:
    """The plan or the launch that a person named: a plan's file, a record's file, a launch's folder or its name.

    `trust` is the trust root, by default the one of this machine where there is one. `problems` says whether a plan
    may have some: what a checklist contradicts, its import contradicts too, and that is no reason to keep the checklist
    back.

    Raises `UsageError` for what is not there, `PlanError` for a plan that cannot be read, `RecordError` for a record
    that does not hold and `RefusedError` for a plan that the launch was not of.
    """
    path = _found(what)
    if _is_record(path):
        return _launched(path, plan, trust)
    if plan is not None:
        raise UsageError(f"{path} is a plan itself", hint="give --plan only for a launch")
    loaded = planfile.load(path)
    if problems and loaded.problems and loaded.shape:
        planned = Planned(loaded.shape, "")
        remark = f"{path} cannot be launched as it is: `tminus plan check` lists what is wrong with it"
    else:
        planned, remark = _whole(loaded), ""
    return Inputs(of_plan(planned), planned.document, path, (path, *loaded.bases), remark)


def sources(inputs: Inputs, given: Path | None) -> tuple[Path, ...]:
    """Wherever the plan's checklist may be, whether it is read or not."""
    source = inputs.document.source if inputs.document else None
    folder = (inputs.plan_file or inputs.files[0]).parent
    kept = folder / CHECKLIST
    named = (folder / source.path, kept) if source else (kept,) if inputs.document is None else ()
    return (given, *named) if given else named


def source_of(inputs: Inputs, given: Path | None) -> bytes:
    """The checklist that the plan was imported from, unchanged since.

    Raises `UsageError` when it is not there, `RefusedError` when its SHA-256 is not the one that the plan names.
    """
    if inputs.document is None:
        raise UsageError(
            "the plan of this launch is not at hand, so nobody knows the checklist it came from",
            hint=f"name it with --plan FILE, or put {PLAN} beside the record",
        )
    source = inputs.document.source
    if source is None:
        raise UsageError(
            "this plan was not imported from a checklist, so there is none to hand back",
            hint="export it as html or json",
        )
    if given is None and goes_up(source.path):
        raise UsageError(
            f"the plan's checklist goes up with `..` in {source.path[:80]!r}",
            hint="name the file as it was imported with --source FILE",
        )
    folder = inputs.plan_file.parent if inputs.plan_file else Path()
    there, kept = folder / source.path, folder / CHECKLIST
    path = given or there
    try:
        path = given or (kept if kept.is_file() and not there.is_file() else there)
        data = files.regular(path, checklist.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{str(path)!r}, the plan's checklist, cannot be read: {getattr(error, 'strerror', None) or error}",
            hint="name the file as it was imported with --source FILE",
        ) from error
    if (seen := sha256(data).hexdigest()) != source.sha256:
        raise RefusedError(
            f"{path} is not the checklist that was imported: its SHA-256 is {seen}, the plan names {source.sha256}",
            hint="bring back the file as it was with --source FILE, or import the new one",
        )
    return data


def _found(what: str) -> Path:
    path, folder = Path(what), home() / "launches" / what
    try:
        if path.is_dir():
            return path / RECORD
        if path.exists():
            return path
        if folder.parent == home() / "launches" and folder.is_dir():
            return folder / RECORD
    except OSError as error:
        raise _unreadable(path, error) from error
    raise UsageError(
        f"{what} is neither a file nor a launch",
        hint="name a plan's YAML file, a record's .jsonl file, or a launch's folder or name",
    )


def _is_record(path: Path) -> bool:
    try:
        if path.is_file():
            with path.open("rb") as file:
                return path.suffix == ".jsonl" or file.read(len(_FIRST)) == _FIRST
    except OSError as error:
        raise _unreadable(path, error) from error
    raise UsageError(
        f"{path} is not there: this launch has no record yet", hint="export it when the launch has ended"
    )


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path and who may read it")


def _launched(path: Path, given: Path | None, trust: Path | None) -> Inputs:
    place = trust or trust_path(home())
    root = load_trust(place) if trust or place.exists() else None
    record = recorded(str(path), path.read_bytes(), root)
    beside = path.parent / PLAN
    where = given or (beside if beside.is_file() else None)
    loaded = planfile.load(where) if where and where.suffix != ".json" else None
    planned = _plan_of(record, where, loaded) if where else None
    content = of_launch(record, path.name, planned)
    files = (path, beside, place, *((given,) if given else ()), *(loaded.bases if loaded else ()))
    if planned:
        return Inputs(content, planned.document, where, files)
    remark = "the plan of this launch is not at hand: sections are missing; name it with --plan FILE"
    return Inputs(content, None, None, files, remark)


def _plan_of(record: Recorded, path: Path, loaded: planfile.Loaded | None) -> Planned:
    planned = _whole(loaded) if loaded else _document(path)
    plan = record.opened.data["plan"]
    wanted = str(plan["digest"]) if isinstance(plan, dict) else ""
    if planned.digest != wanted:
        raise RefusedError(
            f"{path} is not the plan of this launch: its digest is {planned.digest}, the record names {wanted}",
            hint="name the plan as it was launched with --plan FILE",
        )
    return planned


def _whole(loaded: planfile.Loaded) -> Planned:
    return Planned(loaded.document, loaded.checked().digest, tuple(place.what for place in loaded.to_fill))


def _document(path: Path) -> Planned:
    """A plan's whole document, as a launch keeps it: nothing is extended or looked up any more."""
    try:
        document = Document.model_validate(json.loads(path.read_bytes()))
        return Planned(document, identity(document))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{path} is no plan as a launch keeps it: {error}",
            hint="name the plan's YAML file with --plan FILE",
        ) from error
