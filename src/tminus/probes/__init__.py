"""What can be observed: one file per system, one async function per observation.

A probe's name is its address: `website.answer` is the function `answer` of `tminus/probes/website.py`. Other packages
add a system through an entry point in the group `tminus.probes`. A probe observes and never judges, changes nothing,
and shows no secret value.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tminus.domain.evidence import JsonValue, Observation
from tminus.errors import PlanError

Run = Callable[..., Awaitable[Observation]]


@dataclass(frozen=True, slots=True)
class Probe:
    """A function that observes a system, as a plan names it. Used as the decorator `@Probe`."""

    run: Run

    @property
    def summary(self) -> str:
        """What it observes: the first line of its docstring."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    def accept(self, arguments: Mapping[str, JsonValue]) -> list[str]:
        """Everything that is wrong with these arguments; nothing when they fit."""
        parameters = {
            name: parameter
            for name, parameter in inspect.signature(self.run).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        problems = [
            f"{name!r} is no argument of this probe{_did_you_mean(name, list(parameters))}"
            for name in arguments
            if name not in parameters
        ]
        problems += [
            f"the argument {name!r} is missing"
            for name, parameter in parameters.items()
            if parameter.default is inspect.Parameter.empty and name not in arguments
        ]
        hints = get_type_hints(self.run)
        for name, value in arguments.items():
            if name in parameters and not (isinstance(value, str) and value.startswith("${")):
                problems += _type_problems(name, value, hints[name])
        return problems


def systems() -> dict[str, str]:
    """Every system that can be observed: its name and the module behind it."""
    own = {module.name: f"{__name__}.{module.name}" for module in iter_modules(__path__)}
    return own | {entry.name: entry.value for entry in entry_points(group="tminus.probes")}


def module_of(system: str) -> ModuleType:
    """The file about one system; raises `PlanError` for an unknown one, with what was perhaps meant."""
    known = systems()
    if system not in known:
        raise PlanError(
            f"{system!r} is no system that tminus can observe{_did_you_mean(system, list(known))}",
            hint=f"known systems: {', '.join(sorted(known))}",
        )
    return import_module(known[system])


def names(system: str) -> list[str]:
    """The probes of one system, by their full names."""
    return [f"{system}.{name}" for name, value in vars(module_of(system)).items() if isinstance(value, Probe)]


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


def describe(probe: Probe) -> str:
    """A probe's whole docstring and its arguments with their types and defaults."""
    lines = [inspect.getdoc(probe.run) or ""]
    for name, parameter in inspect.signature(probe.run).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            lines.append(
                f"  {parameter}" if parameter.default is not inspect.Parameter.empty else f"  {name}: needed"
            )
    return "\n".join(lines)


def _did_you_mean(name: str, choices: list[str]) -> str:
    close = get_close_matches(name, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _type_problems(name: str, value: JsonValue, hint: Any) -> list[str]:
    try:
        TypeAdapter(hint).validate_python(value, strict=True)
    except ValidationError as error:
        return [f"the argument {name!r}: {problem['msg'].lower()}" for problem in error.errors()]
    return []
