"""From a plan's file, with those it extends, to everything that can be said of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tminus import files
from tminus.domain.plan import Plan
from tminus.errors import PlanError
from tminus.garbage import uncollected
from tminus.planfile import leaks
from tminus.planfile.document import Document
from tminus.planfile.extending import merged
from tminus.planfile.findings import Findings
from tminus.planfile.nodes import MAX_BYTES, Map, Seq, mark_of, parsed
from tminus.planfile.problem import Mark, Problem, ToFill, meant, problem_at
from tminus.planfile.reader import meaning
from tminus.planfile.shape import shaped

_BUILTIN = Path(__file__).parent / "builtin"
_HINT = "mend these lines and try again"
_MOST_BASES = 20
"""How many plans may stand below one, each extended by the one above it."""
_MOST = 200
"""Problems that are listed in full; of more, how many."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan's file as it was read: what it means, what is wrong with it, what is to fill."""

    path: Path
    problems: tuple[Problem, ...]
    """All of them, by file and line; a base's after the plan's own."""
    to_fill: tuple[ToFill, ...] = ()
    plan: Plan | None = None
    """Nothing while there are problems."""
    warnings: tuple[Problem, ...] = ()
    """What a plan without problems can be launched with and will be missed, such as where to tell people."""
    shape: Document | None = None
    """The document, what is shaped wrongly replaced by something neutral; nothing when there is none at all."""
    tree: Map | None = field(default=None, repr=False)
    bases: tuple[Path, ...] = ()
    """The files of the plans below this one, also of one that cannot be read; a built-in plan has none."""

    @property
    def document(self) -> Document:
        """The document of a plan without problems; raises the `PlanError` that lists them otherwise."""
        self.checked()
        assert self.shape is not None  # noqa: S101 - a plan is made of it
        return self.shape

    def checked(self) -> Plan:
        """The plan; raises one `PlanError` that lists every problem when there is any."""
        if self.plan is None or self.problems:
            listed = "\n".join(f"  {problem}" for problem in self.problems[:_MOST])
            more = len(self.problems) - _MOST
            rest = f"\n  and {more} more" if more > 0 else ""
            raise PlanError(f"{self.path} is no plan that can be launched:\n{listed}{rest}", hint=_HINT)
        return self.plan

    def mark(self, *place: str | int) -> Mark:
        """The file and line of the innermost part of this place, such as `mark("roles", 0, "person")`."""
        return mark_of(self.tree, place) if self.tree is not None else Mark(str(self.path), 1)


def load(source: Path | str, *, now: float | None = None) -> Loaded:
    """Read a plan, by its path or the name of a built-in one; `now` is for waivers that have run out.

    Raises `PlanError` only for a file that cannot be read as text; everything else is among the problems.
    """
    if isinstance(source, str) and source in builtins():
        return loaded(builtin(source), Path(_shown(source)), now=now)
    path = Path(source)
    return loaded(_text(path), path, now=now)


def loaded(text: str, path: Path, *, now: float | None = None) -> Loaded:
    """The plan in this text, as if it stood at this path."""
    tree, problems = _tree(text, path)
    chain: list[Path] = [path]
    if tree is not None:
        tree, more = _extended(tree, path, chain)
        problems = [*problems, *more]
    return replace(_meant(tree, problems, path, now), bases=tuple(chain[1:]))


def _meant(tree: Map | None, problems: list[Problem], path: Path, now: float | None) -> Loaded:
    if tree is None:
        return Loaded(path, tuple(problems))
    with uncollected():
        form = shaped(tree)
    seen = leaks.seen(tree)
    secrets = leaks.secrets(seen)
    problems, told = [*problems, *form.problems], leaks.leaks(tree, seen)
    if form.document is None:
        return Loaded(path, _sorted(leaks.unspoken(secrets, [*problems, *told]), path), tree=tree)
    found = Findings(tree, form, form.document, told)
    plan, filling = meaning(found, now)
    problems = [*problems, *found.problems]
    return Loaded(
        path,
        _sorted(leaks.unspoken(secrets, problems), path),
        tuple(sorted(leaks.unspoken(secrets, filling), key=lambda one: (one.file != str(path), one))),
        None if problems else plan,
        _sorted(leaks.unspoken(secrets, found.warnings), path),
        form.document,
        tree,
    )


def builtins() -> list[str]:
    """The names of the built-in plans."""
    return sorted(file.stem for file in _BUILTIN.glob("*.yaml"))


def builtin(name: str) -> str:
    """The text of a built-in plan; raises `PlanError` for an unknown one."""
    if name not in builtins():
        raise PlanError(
            f"there is no built-in plan {name!r}{meant(name, builtins())}",
            hint=f"built in: {', '.join(builtins())}",
        )
    return (_BUILTIN / f"{name}.yaml").read_text(encoding="utf-8")


def _shown(name: str) -> str:
    return f"{name} (built in)"


def _sorted(problems: Sequence[Problem], path: Path) -> tuple[Problem, ...]:
    """Each problem once; the plan's own file first."""
    return tuple(sorted(set(problems), key=lambda problem: (problem.file != str(path), problem)))


def _text(path: Path) -> str:
    try:
        data = files.regular(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise PlanError(
                f"{path} is larger than {MAX_BYTES} bytes", hint="a plan is a text file of some 1,000 lines"
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is not UTF-8: {error.reason}", hint="save the plan as UTF-8 text") from error


def _tree(text: str, path: Path) -> tuple[Map | None, list[Problem]]:
    tree, problems = parsed(text, str(path))
    if isinstance(tree, Map):
        return tree, problems
    if not problems:
        kind = "a list" if isinstance(tree, Seq) else "empty" if tree is None else "one word"
        problems = [Problem(str(path), 1, f"this is {kind}; a plan is a mapping", "begin with `plan: NAME`")]
    return None, problems


def _key(path: Path) -> str:
    """The file itself, so that two ways to it are one; unlike `Path.resolve` it bears circles of links."""
    return os.path.realpath(path)


def _extended(tree: Map, path: Path, chain: list[Path]) -> tuple[Map | None, list[Problem]]:
    """The plan on top of the one that it extends, and what is wrong with that one; `chain` gets every base's file."""
    name = tree.get("extends")
    if not isinstance(name, str) or not name.strip():
        return tree, []
    mark = mark_of(tree, ("extends",))
    if len(chain) > _MOST_BASES:
        deep = f"more than {_MOST_BASES} plans extend one another; put them together in fewer"
        return None, [problem_at(mark, deep)]
    base_path = _base(name.strip(), path)
    known = {_key(step) for step in chain}
    chain += [] if base_path is None else [base_path]
    try:
        text = builtin(name.strip()) if base_path is None else _text(base_path)
    except PlanError as error:
        return None, [problem_at(mark, f"{error}; {error.hint}")]
    if base_path is not None and _key(base_path) in known:
        way = " → ".join(step.name for step in chain)
        return None, [problem_at(mark, f"this plan extends itself: {way}; take one `extends` out")]
    base_path = base_path or Path(_shown(name.strip()))
    base, problems = _tree(text, base_path)
    if base is not None:
        base, more = _extended(base, base_path, chain)
        problems = [*problems, *more]
    if base is None:
        return None, problems
    return merged(_moved(base, base_path, path), tree), problems


def _base(name: str, path: Path) -> Path | None:
    """The file of a base, whether it is there or not; nothing for the name of a built-in one, or of none."""
    is_path = "/" in name or name.endswith((".yaml", ".yml")) or _there(path.parent / name)
    return path.parent / name if is_path and name not in builtins() else None


def _there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - `Path.exists` raises for a name that is too long


def _moved(base: Map, base_path: Path, path: Path) -> Map:
    """A base's checklist is named from the base's own folder; in the plan that extends it, from the plan's."""
    source = base.get("source")
    if isinstance(source, Map) and isinstance(source.get("path"), str) and base_path.parent != path.parent:
        there = Path(os.path.abspath(base_path.parent)) / str(source["path"])  # noqa: PTH100 - without links
        source.put("path", str(there), source.marks["path"])
    return base
