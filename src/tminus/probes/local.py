"""The local target: processes behind a proxy on this machine."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tminus.control.ports import Target
from tminus.domain.evidence import JsonValue, Observation
from tminus.domain.traffic import Side
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """The target, the parts beside it, and the smoke tests of its service."""

    target: Target
    parts: Callable[[], Mapping[str, bool]]
    """Every part of the stage, and whether it runs."""
    smoke: Callable[[str], Awaitable[list[str]]]


@Probe
async def running(local: System, *, parts: list[str]) -> Observation:
    """The parts among these that do not run."""
    state = local.parts()
    missing: list[JsonValue] = [part for part in parts if not state.get(part, False)]
    seen: dict[str, JsonValue] = dict(state.items())
    return Observation(missing, seen)


@Probe
async def able(local: System, *, side: str, digest: str) -> Observation:
    """What keeps a side from taking traffic at once: not running, another release, not up, failing smoke tests."""
    there = Side(side)
    status = await local.target.status(there)
    problems: list[JsonValue] = []
    if not status.running:
        problems.append(f"{side} does not run")
    if status.digest != digest:
        problems.append(f"{side} runs {status.digest or 'nothing'}, not {digest}")
    if not status.up:
        problems.append(f"the proxy does not count {side} as able to serve")
    if status.running:
        problems += await local.smoke(local.target.private_url(there))
    seen: dict[str, JsonValue] = {
        "version": status.version,
        "weight": status.weight,
        "sessions": status.sessions,
    }
    return Observation(problems, seen, {"digest": status.digest})
