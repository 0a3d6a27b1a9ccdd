"""A clearance of a launch of the common database: its record verified, its GO found to stand, and that signed."""

from dataclasses import dataclass
from pathlib import Path

from tminus.control.ports import Clock, Json
from tminus.domain.clearance import clearance, clearance_statement
from tminus.domain.trust import KeyKind, TrustRoot
from tminus.domain.verification import check_open
from tminus.errors import RecordError, RefusedError
from tminus.signing import open_envelope, sign_statement
from tminus.wiring.keys import Keys
from tminus.wiring.opening import kept


@dataclass(frozen=True, slots=True)
class Tower:
    """Where clearances are given."""

    home: Path
    """Where this machine's own key is, which signs them."""
    trust: TrustRoot
    clock: Clock

    async def clear(self, database: str, launch: str) -> Json | None:
        """The envelope of a launch's clearance; none while it may still come.

        Raises `RecordError` for a record that does not verify, `RefusedError` where no clearance can come any more or
        the key of this machine is in no trust root.
        """
        events, _ = await kept(database, launch)
        check_open(events, open_envelope, self.trust)
        given = clearance(events, self.clock.now())
        if given is None:
            return None
        signer = Keys(self.home).server()
        try:
            self.trust.signer(signer.keyid, KeyKind.SERVER, given.given_at)
        except RecordError as error:
            raise RefusedError(
                f"nobody would believe this machine's clearance: {error}",
                hint="type it where `tminus worker` or `tminus serve` runs, whose key your team's trust root has",
            ) from error
        return sign_statement(signer, clearance_statement(given))
