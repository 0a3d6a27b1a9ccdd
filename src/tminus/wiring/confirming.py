"""Words for what the figures of a dashboard mean: signed with a person's key, and judged by a trust root."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tminus.control.ports import Json
from tminus.domain.canonical import timestamp
from tminus.domain.confirmation import Confirmation, Rules, confirmation_row, confirmation_statement, doubt
from tminus.errors import InconclusiveError
from tminus.signing import Signer, load_trust, open_envelope, sign_statement


@dataclass(frozen=True, slots=True)
class Voucher:
    """See `grafana.confirming.Vouch`; the trust root is read each time, so that a key enrolled meanwhile counts."""

    trust: Path
    production: bool
    now: Callable[[], float]

    def __call__(self, word: Confirmation, envelope: object) -> str:
        """See `grafana.confirming.Vouch`."""
        if not self.trust.exists():
            raise InconclusiveError(
                f"whose word it is cannot be told: {self.trust} is not there, and nobody's key is trusted",
                hint="copy your team's trust root there, or enrol the key with tminus trust add",
            )
        rules = Rules(self.production, self.now())
        return doubt(word, envelope, open_envelope, load_trust(self.trust), rules)


def confirmed(signer: Signer, sha256: str, by: str, text: str, now: float) -> Json:
    """An entry of the file, signed; `now` is in seconds of the epoch."""
    word = Confirmation(sha256, by, text, timestamp(now))
    return confirmation_row(word, sign_statement(signer, confirmation_statement(word)))
