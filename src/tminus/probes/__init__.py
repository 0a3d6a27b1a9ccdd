"""What can be observed: one file per system, one async function per observation.

A probe's name is its address: `website.answer` is the function `answer` of `tminus/probes/website.py`. Other packages
add a system through an entry point in the group `tminus.probes`; tminus' own names are never replaced by one. A probe
observes and never judges, changes nothing, and shows no secret value. A system's file is imported when a plan names
it, so it imports a vendor's library only where it calls it.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import get_type_hints

from tminus.domain.argument import Argument, misfits, unit_of
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.signature import Signature, signatures
from tminus.domain.value import ValueKind
from tminus.errors import PlanError

__all__ = [
    "Argument",
    "Probe",
    "describe",
    "find",
    "is_own",
    "module_of",
    "names",
    "signature",
    "systems",
    "value_of",
]

Run = Callable[..., Awaitable[Observation]]


@dataclass(frozen=True, slots=True)
class Probe:
    """A function that observes a system, as a plan names it. Used as the decorator `@Probe`."""

    run: Run

    @property
    def summary(self) -> str:
        """What it observes: the first line of its docstring."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    def arguments(self) -> dict[str, Argument]:
        """What a plan may say under `with:`, by name."""
        return _arguments(self.run)

    def value(self) -> ValueKind | None:
        """The kind of value that its function declares to give; nothing when it declares none."""
        marks = getattr(get_type_hints(self.run, include_extras=True).get("return"), "__metadata__", ())
        return next((mark for mark in marks if isinstance(mark, ValueKind)), None)

    def accept(self, arguments: Mapping[str, JsonValue]) -> list[str]:
        """Everything that is wrong with these arguments; nothing when they fit."""
        return misfits(self.arguments(), arguments)


@cache
def _arguments(run: Run) -> dict[str, Argument]:
    hints = get_type_hints(run, include_extras=True)
    return {
        name: Argument(hints[name], parameter.default, unit_of(name))
        for name, parameter in inspect.signature(run).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


@cache
def _own() -> dict[str, str]:
    return {module.name: f"{__name__}.{module.name}" for module in iter_modules(__path__)}


def systems() -> dict[str, str]:
    """Every system that can be observed: its name and the module behind it."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and only other packages' systems need it

    return {entry.name: entry.value for entry in entry_points(group="tminus.probes")} | _own()


def module_of(system: str) -> ModuleType:
    """The file about one system; raises `PlanError` for an unknown one, with what was perhaps meant."""
    known = _own() if system in _own() else systems()
    if system not in known:
        raise PlanError(
            f"{system!r} is no system that tminus can observe{_did_you_mean(system, list(known))}",
            hint=f"known systems: {', '.join(sorted(known))}",
        )
    return import_module(known[system])


def names(system: str) -> list[str]:
    """The probes of one system, by their full names."""
    return [f"{system}.{name}" for name, value in vars(module_of(system)).items() if isinstance(value, Probe)]


@cache  # asked for once in each look at a line
def find(name: str) -> Probe:
    """The probe of this name; raises `PlanError` for an unknown one, with what was perhaps meant."""
    system, _, observation = name.partition(".")
    found = getattr(module_of(system), observation, None) if observation else None
    if not isinstance(found, Probe):
        every = names(system)
        raise PlanError(
            f"{name!r} is no probe{_did_you_mean(name, every)}",
            hint=f"probes of {system}: {', '.join(sorted(every))}",
        )
    return found


def signature(name: str) -> Mapping[str, Argument]:
    """What a plan may say under `with:` of this probe; raises `PlanError` for an unknown one.

    The files of tminus' own systems are read for it and not imported, so that reading a plan loads no vendor's library.
    """
    system, _, observation = name.partition(".")
    found = _read(system).get(observation)
    if found is not None and found.arguments is not None:
        return found.arguments
    return find(name).arguments()


def value_of(name: str) -> ValueKind | None:
    """The kind of value that this probe gives; nothing for one that declares none.

    tminus' own files are read for it and not imported, and a probe that they do not hold gives nothing. Of another
    package's system the module is imported; raises `PlanError` for an unknown one.
    """
    system, _, observation = name.partition(".")
    if is_own(system):
        found = _read(system).get(observation)
        return found.value if found else None
    return find(name).value()


def is_own(system: str) -> bool:
    """Whether this system is one of tminus' own."""
    return system in _own()


@cache
def _read(system: str) -> dict[str, Signature]:
    """The probes of one of tminus' own systems by the text of its file; none where there is no such file."""
    if system not in _own():
        return {}
    files = [Path(folder) / f"{system}.py" for folder in __path__]
    return {
        name: found
        for file in files
        if file.is_file()
        for name, found in signatures(file.read_text(encoding="utf-8")).items()
    }


def describe(probe: Probe) -> str:
    """A probe's whole docstring and its arguments with their types, units and defaults."""
    lines = [inspect.getdoc(probe.run) or ""]
    if kind := probe.value():
        lines.append(f"  gives: {kind}")
    lines += [f"  {name}: {argument.words}" for name, argument in probe.arguments().items()]
    return "\n".join(lines)


def _did_you_mean(name: str, choices: list[str]) -> str:
    close = get_close_matches(name, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
