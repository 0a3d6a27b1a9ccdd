"""Who has a launch in hand: asked by people's orders, which only a living tminus acts on.

A launch is known by its stage's playbill, and a living tminus by the lock that it holds on the stage's entry: the
kernel lets go of it when that process ends. No process number is believed.
"""

import os
from enum import StrEnum
from pathlib import Path

from tminus.demo import registry
from tminus.demo.show import KEPT
from tminus.demo.stage import Stage
from tminus.demo.theatre import NEEDED, Playbill
from tminus.errors import PartError


class Custody(StrEnum):
    """Who acts on what is left for a launch."""

    ALIVE = "alive"
    """A tminus that runs."""
    WAITING = "waiting"
    """Nobody now; the next demo takes it over."""
    LOST = "lost"
    """Nobody ever: too little of it is left to go on."""


def custody(home: Path, launch: str) -> Custody:
    """Who has this launch in hand at this moment."""
    if not (home / "stages").is_dir():
        return Custody.LOST
    with registry.alone(home):
        for identifier in registry.identifiers(home):
            if registry.index_path(home, identifier).exists() and (found := _look(home, identifier, launch)):
                return found
    return Custody.LOST


def can_go_on(stage: Stage, playbill: Playbill | None) -> bool:
    """Whether enough of an interrupted launch lives for another tminus to take it over."""
    alive = set(stage.parts_alive())
    kept = (stage.folder / KEPT).exists()
    return playbill is not None and not kept and alive >= NEEDED and bool(alive & {"blue", "green"})


def _look(home: Path, identifier: str, launch: str) -> Custody | None:
    """What the stage of this name means for the launch; nothing when it is another's."""
    lock = registry.own(home, identifier)
    with lock or Path(os.devnull).open("rb") as handle:
        try:
            stage = Stage(home, registry.read(registry.index_path(home, identifier)), handle)
        except PartError:
            return None  # an entry that nobody can read is no reason to refuse an order to another launch
        playbill = Playbill.load(stage)
        if playbill is None or playbill.launch != launch:
            return None
        if lock is None:
            return Custody.ALIVE
        return Custody.WAITING if can_go_on(stage, playbill) else Custody.LOST
