"""Fakes of every port, for tests of tminus and of what others add to it.

Time is virtual, users are arithmetic, and a process can be told to die at any moment and be started again: a whole
launch with its soak of a day takes milliseconds and comes out the same each time.
"""

from tminus.testing.engine import Crash, FakeClock, Fate, VirtualEngine
from tminus.testing.evidence import MemoryEvidence
from tminus.testing.notifier import FakeNotifier
from tminus.testing.people import (
    FakeDatabase,
    FakeInvariants,
    FakeProber,
    FakeSignatory,
    FakeSmoke,
    MemoryRecord,
    ScriptedObserver,
)
from tminus.testing.stage import Behaviour, Deployed, FakeTarget, FakeTraffic

__all__ = [
    "Behaviour",
    "Crash",
    "Deployed",
    "FakeClock",
    "FakeDatabase",
    "FakeInvariants",
    "FakeNotifier",
    "FakeProber",
    "FakeSignatory",
    "FakeSmoke",
    "FakeTarget",
    "FakeTraffic",
    "Fate",
    "MemoryEvidence",
    "MemoryRecord",
    "ScriptedObserver",
    "VirtualEngine",
]
