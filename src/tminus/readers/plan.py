"""A plan."""

from collections import Counter
from pathlib import Path

from tminus import planfile
from tminus.readers import Sight


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    text = b"\n" + head
    return path.suffix.lower() in {".yaml", ".yml"} and (b"\nplan:" in text or b"\nextends:" in text)


def see(path: Path) -> Sight:
    """Its lines by kind, and what is wrong with it or to fill."""
    loaded = planfile.load(path)
    kinds = Counter(check.kind.value for check in loaded.plan.checks) if loaded.plan else Counter[str]()
    omitted = loaded.plan.left_out if loaded.plan else 0
    counts = {**kinds, "omitted": omitted, "problems": len(loaded.problems), "to_fill": len(loaded.to_fill)}
    details = loaded.document.model_dump(mode="json", by_alias=True)
    remarks = [f"{problem.file}:{problem.line}: {problem.what}" for problem in loaded.problems]
    return Sight(counts, details, tuple(remarks))
