"""Fakes of every port, for tests of tminus and of what others add to it.

Time is virtual, users are arithmetic, and a process can be told to die at any moment: a whole launch with its soak of a
day takes milliseconds and comes out the same each time. The engine that runs one with them, and starts it again after
its death, is `tminus.engine.memory.MemoryEngine`, which keeps the promises of the durable one.
"""

from tminus.testing.clock import FakeClock
from tminus.testing.evidence import MemoryEvidence
from tminus.testing.fate import Crash, Fate
from tminus.testing.metering import FakeMeter
from tminus.testing.notifier import FakeNotifier
from tminus.testing.people import (
    FakeCommands,
    FakeComponents,
    FakeDatabase,
    FakeInvariants,
    FakeProber,
    FakeSignatory,
    FakeSmoke,
    FakeVerifier,
    MemoryRecord,
    ScriptedObserver,
)
from tminus.testing.stage import Behaviour, Deployed, FakeTarget, FakeTraffic

__all__ = [
    "Behaviour",
    "Crash",
    "Deployed",
    "FakeClock",
    "FakeCommands",
    "FakeComponents",
    "FakeDatabase",
    "FakeInvariants",
    "FakeMeter",
    "FakeNotifier",
    "FakeProber",
    "FakeSignatory",
    "FakeSmoke",
    "FakeTarget",
    "FakeTraffic",
    "FakeVerifier",
    "Fate",
    "MemoryEvidence",
    "MemoryRecord",
    "ScriptedObserver",
]
