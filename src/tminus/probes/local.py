"""The target of a launch: both sides, what stands beside them, and whether each can serve."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tminus.control.ports import SideStatus, Target
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.traffic import Side
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, ProbeError, RolloutError
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """The target, the parts beside it, and the smoke tests of its service."""

    target: Target
    parts: Callable[[], Mapping[str, bool]]
    """Every part of the stage, and whether it runs."""
    smoke: Callable[[str], Awaitable[list[str]]]


@Probe
async def running(local: System, *, parts: list[str]) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The parts among these that do not run; of a side that runs, also whether the proxy counts it as able to serve."""
    sides = [side for side in Side if side.value in parts]
    known = local.parts()
    if not parts or (not known and len(sides) < len(parts)):
        raise InconclusiveError(
            "no part was looked at", hint="name the parts in the plan, and see whether the stage still stands"
        )
    state = {side.value: (await _status(local, side)).running for side in sides} | {**known}
    missing: list[JsonValue] = [part for part in parts if not state.get(part, False)]
    if not missing:
        missing += [
            f"{side.value} runs but cannot serve" for side in sides if not (await _status(local, side)).up
        ]
    seen: dict[str, JsonValue] = dict(state.items())
    return Observation(missing, seen, fact=f"all {len(parts)} parts run: {', '.join(parts)}")


@Probe
async def able(
    local: System, *, side: Literal["blue", "green"], digest: str
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What keeps a side from taking traffic at once: not running, another release, not up, failing smoke tests."""
    there = Side(side)
    status = await _status(local, there)
    answers, failing = await _smoke(local, there) if status.running else (False, [])
    if answers and status.up and not status.digest:
        raise InconclusiveError(
            f"{side} answers, but does not say which image it is", hint="see its health page; start it again"
        )
    problems: list[JsonValue] = []
    if not status.running:
        problems.append(f"{side} does not run")
    if status.digest != digest:
        problems.append(f"{side} runs {status.digest or 'nothing'}, not {digest}")
    if not status.up:
        problems.append(f"the proxy does not count {side} as able to serve")
    problems += failing
    seen: dict[str, JsonValue] = {
        "version": status.version,
        "weight": status.weight,
        "sessions": status.sessions,
    }
    fact = f"{side} runs version {status.version} with weight {status.weight}, and can serve"
    return Observation(problems, seen, {"digest": status.digest}, fact=fact)


async def _status(local: System, side: Side) -> SideStatus:
    try:
        return await local.target.status(side)
    except RolloutError as error:
        raise InconclusiveError(str(error), hint=error.hint) from error


async def _smoke(local: System, side: Side) -> tuple[bool, list[str]]:
    """Whether the side answers at all, and what fails in its smoke tests."""
    try:
        return True, await local.smoke(local.target.private_url(side))
    except ProbeError as error:
        return False, [f"{side.value} does not answer: {error}"]
