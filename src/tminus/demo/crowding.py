"""Whether the machine has time for a demo: users who are answered late close a gate, and nobody would know why."""

import os

CROWDED = 1.5
"""Processes that want a core, for each core there is; one demo after another stays below."""


def crowding() -> str:
    """What to say of a machine that is too busy now; empty for one with time, or one that does not tell."""
    try:
        wanting = os.getloadavg()[0]
    except OSError:
        return ""
    return told(wanting, os.cpu_count() or 1)


def told(wanting: float, cores: int) -> str:
    """The same, for so many processes that want a core on average of the last minute."""
    if wanting <= CROWDED * cores:
        return ""
    return (
        f"this machine is busy: {wanting:.1f} processes wanted its {cores} cores in the last minute. Users may be"
        " answered late, and where a line measures that, the launch ends as NO-GO or is rolled back; end what else runs"
    )
