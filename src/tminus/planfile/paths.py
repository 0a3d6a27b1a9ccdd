"""Paths that a plan names: where they lead is seen from the plan alone, and is not changed by where the plan lies.

A plan comes from another team, an import or a base. `../` in it leads somewhere else wherever it is put, so a path goes
down from its folder or is absolute, which a reviewer sees: secrets are mounted at `/run/secrets`.
"""

from pathlib import PurePath

from tminus.planfile.findings import Findings
from tminus.planfile.nodes import texts

_FILE = "file:"
_BLOCKS = {"systems", "checks", "omitted", "roles", "notify"}
"""Where references may stand."""


def upward(found: Findings) -> None:
    """Tell which paths go up: the checklist's, and those behind `file:` anywhere but in a negative control."""
    source = found.document.source
    if source and goes_up(source.path):
        found.tell(("source", "path"), f"`path` {upwards(source.path)}")
    for place, text in texts(found.tree):
        path = text.strip().removeprefix(_FILE)
        if place[0] in _BLOCKS and "control" not in place and path != text.strip() and goes_up(path):
            found.tell(place, f"`{place[-1]}` {upwards(path)}")


def goes_up(path: str) -> bool:
    """Whether a part of this path is `..`, with either slash."""
    return ".." in PurePath(path.replace("\\", "/")).parts


def upwards(path: str) -> str:
    """What is wrong with such a path, as a sentence goes on after its name."""
    return f"goes up with `..` in {path[:80]!r}; write a path below the folder, or an absolute one"
