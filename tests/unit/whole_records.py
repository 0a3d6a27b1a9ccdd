"""Whole records of both kinds, each sealed and signed by real keys, for tests that damage and forge them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.launch_world import KeySignatory, World
    from tests.unit.record_builder import CHECKS, PEOPLE, START, RecordBuilder, trust_root
else:
    from launch_world import KeySignatory, World
    from record_builder import CHECKS, PEOPLE, START, RecordBuilder, trust_root

from tminus.domain.canonical import timestamp
from tminus.domain.record import encode
from tminus.domain.trust import TrustRoot
from tminus.testing import Fate

ROLES = [{"role": role, "person": person} for role, person in PEOPLE.items()]
FILE = sha256(b"restored in 4 s").hexdigest()
"""The file that is shown as evidence."""
LATER = {"t0": timestamp(START + 7200), "speed": 60}
"""The new date, after a NO-GO."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A record that holds, and whose keys signed it."""

    lines: tuple[bytes, ...]
    trust: TrustRoot

    @property
    def content(self) -> bytes:
        """The exported file."""
        return b"".join(self.lines)


def up_to_first_poll(launch: str = "depot-2", seed: str = "ours") -> RecordBuilder:
    """People's words for a blocker, a waiver, and a poll over both."""
    record = RecordBuilder(launch, seed)
    record.open(roles=ROLES)
    for check in CHECKS[1:]:
        record.observe(check, "failed" if check == "cfg.cors" else "passed")
    first = record.attest("bk.db", evidence=FILE, source="restore.log")
    record.attest("bk.db", "Emil Eng", confirms=first.digest, version=2)
    record.waive("cfg.cors")
    record.poll()
    return record


def up_to_second_poll(launch: str = "depot-2", seed: str = "ours") -> RecordBuilder:
    """Two sign-offs, a signed NO-GO with a new date, and the poll for it."""
    record = up_to_first_poll(launch, seed)
    record.sign("cto")
    record.sign("qa-lead", "no-go")
    record.decide("no-go", reason="tests are red", category="quality", new_t0=str(LATER["t0"]))
    record.add("launch.rescheduled", {"schedule": LATER})
    record.poll(schedule=LATER)
    return record


def people_builder(launch: str = "depot-2", seed: str = "ours") -> RecordBuilder:
    """A launch of people with keys of their own: attested, waived, put off, signed again, landed."""
    record = up_to_second_poll(launch, seed)
    for role in PEOPLE:
        record.sign(role)
    record.decide()
    return record.landing()


def people_record() -> Whole:
    """The record of people's own launch."""
    return Whole(tuple(people_builder().lines), trust_root())


def demo_record() -> Whole:
    """The record of a whole launch with simulated people, as the control runs it in virtual time."""
    world = World(signatory=KeySignatory(Fate()))
    asyncio.run(world.launch())
    return Whole(tuple(encode(event) for event in world.sealed_chain()), world.signatory.trust())


KINDS: dict[str, Callable[[], Whole]] = {"demo": demo_record, "people": people_record}
"""Both kinds of record, by name."""
