"""What HAProxy is meant to do, kept on disk so that one that is started again does the same.

The target writes it as it acts; whoever starts HAProxy reads it. HAProxy's own state dies with it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tminus import files
from tminus.domain.traffic import Side
from tminus.errors import PartError


@dataclass(frozen=True, slots=True)
class Desired:
    """What a fresh HAProxy begins with."""

    percent: int = 0
    """Green's share of new requests."""
    ports: Mapping[Side, int] = field(default_factory=dict)
    """Where the sides listen that may serve; one that is not here is in maintenance."""


class DesiredState:
    """The file of one stage.

    A smaller share for green is written before HAProxy is told and a larger one only after it was read back, so that
    a HAProxy that dies in between never begins again with more on green than was confirmed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Desired | None:
        """What was written last; nothing before the first time. Raises `PartError` for a file that is none of ours."""
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            known = json.loads(text)
            ports = {Side(side): int(port) for side, port in known["ports"].items()}
            return Desired(int(known["percent"]), ports)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PartError(
                f"{self._file} does not say how HAProxy divides the traffic: {error}",
                hint="set the weights by hand with the commands that were printed at the start of the launch",
            ) from error

    def write(self, wanted: Desired) -> None:
        """Keep this, whatever was kept before."""
        ports = {side.value: port for side, port in wanted.ports.items()}
        text = json.dumps({"percent": wanted.percent, "ports": ports})
        files.replace(self._file, [text.encode()], 0o600)

    def lower(self, percent: int) -> None:
        """Green is to get this share at most."""
        known = self.read() or Desired()
        if percent < known.percent:
            self.write(replace(known, percent=percent))

    def confirm(self, percent: int) -> None:
        """Green has this share, read back."""
        self.write(replace(self.read() or Desired(), percent=percent))

    def admit(self, side: Side, port: int) -> None:
        """A side may serve from now on."""
        known = self.read() or Desired()
        self.write(replace(known, ports={**known.ports, side: port}))

    def withdraw(self, side: Side) -> None:
        """A side is to serve no more."""
        known = self.read() or Desired()
        self.write(
            replace(known, ports={there: port for there, port in known.ports.items() if there is not side})
        )


def desired_state(stage: Path) -> DesiredState:
    """The desired state of the HAProxy of a stage."""
    return DesiredState(stage / "haproxy" / "desired.json")
