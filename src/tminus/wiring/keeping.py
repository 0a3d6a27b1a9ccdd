"""What is kept of a plan beside the record of its launch."""

from hashlib import sha256
from pathlib import Path

from tminus.files import replace as replace_file
from tminus.planfile import Loaded
from tminus.wiring import launch_folder


def keep_plan(home: Path, launch: str, loaded: Loaded) -> None:
    """Keep the plan's whole document and its checklist beside the record, so that an export needs nothing else.

    A checklist that has changed since the import is not kept: it is not what this plan was made from.
    """
    folder = launch_folder(home, launch)
    replace_file(folder / "plan.json", [loaded.document.model_dump_json(by_alias=True).encode()])
    source = loaded.document.source
    if source is None:
        return
    checklist = loaded.path.parent / source.path
    data = checklist.read_bytes() if checklist.is_file() else b""
    if sha256(data).hexdigest() == source.sha256:
        replace_file(folder / "checklist.md", [data])
