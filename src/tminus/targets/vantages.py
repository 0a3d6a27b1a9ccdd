"""Vantage points: tminus' own look at a service, by whichever of this machine's ways out, and that of an exporter.

An exporter is Prometheus' blackbox exporter, or whatever answers `/probe` as it does: it may stand anywhere, and says
in `probe_success` whether the service answered there.
"""

import socket
from dataclasses import dataclass
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from tminus.errors import InconclusiveError, UnreachableError
from tminus.http import connect

SECONDS = 2.0
"""How long a user is thought to wait."""
EXPORTER_SECONDS = 5.0
"""How long an exporter may take; longer than it waits itself, so that its own silence is told from the service's."""


@dataclass(frozen=True, slots=True)
class OwnVantage:
    """From this machine."""

    address: str
    path: str
    local: str = ""
    """The address of this machine that is asked from; empty for the one that the system chooses."""

    async def answers(self) -> tuple[bool, str]:
        """See `Vantage.answers`: no answer here is none for a user here, whoever is to blame."""
        if self.local:
            _demand(self.local)
        try:
            async with connect(self.address, seconds=SECONDS, local=self.local) as http:
                status = (await http.get(self.path)).status
        except UnreachableError as error:
            return False, str(error)
        return status == 200, f"status {status}"


@dataclass(frozen=True, slots=True)
class ExporterVantage:
    """From where an exporter stands."""

    exporter: str
    target: str
    """The whole address that it asks for."""
    module: str = ""

    async def answers(self) -> tuple[bool, str]:
        """See `Vantage.answers`."""
        wanted = {"target": self.target, **({"module": self.module} if self.module else {})}
        async with connect(self.exporter, seconds=EXPORTER_SECONDS) as http:
            reply = await http.get(f"/probe?{urlencode(wanted)}")
        if reply.status != 200:
            said = reply.body[:100].decode(errors="replace").strip()
            raise InconclusiveError(
                f"the exporter answers {reply.status}: {said}", hint="is `module` one of its modules?"
            )
        found = _values(reply.body.decode(errors="replace"))
        if "probe_success" not in found:
            raise InconclusiveError(
                "the exporter says no probe_success", hint="is it a blackbox exporter that stands there?"
            )
        return found["probe_success"] == 1, f"status {found.get('probe_http_status_code', 0):g}"


def _values(text: str) -> dict[str, float]:
    try:
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    except ValueError as error:
        raise InconclusiveError(
            "the exporter's answer cannot be read", hint="is it a blackbox exporter that stands there?"
        ) from error


def _demand(local: str) -> None:
    """Raise `InconclusiveError` unless this machine has the address: from there nobody could look."""
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    with socket.socket(family) as trial:
        try:
            trial.bind((local, 0))
        except OSError as error:
            raise InconclusiveError(
                f"this machine has no address {local} to ask from",
                hint="correct `from` in the plan, or bring the interface up",
            ) from error
