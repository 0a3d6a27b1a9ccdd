"""The private keys of this machine: of its people, and of its server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tminus.control.ports import Json
from tminus.domain.plan import Plan
from tminus.domain.trust import KeyKind, TrustedKey
from tminus.signing import Signer, enrol, sign_statement, trust_path
from tminus.wiring.confirming import confirmed

_PRODUCT = "product-owner"
"""What somebody answers for who says what figures mean; no role of a plan needs that."""


class Keys:
    """The private keys of this machine's people and of its server, one file each."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def enrol(self, plan: Plan) -> None:
        """Have a key for each role and for the server, and all of them in the trust root."""
        trust = trust_path(self._home)
        for role in plan.roles:
            key = self._signer(role.id, role.person)
            roles = (role.id,)
            person = TrustedKey(key.keyid, role.person, KeyKind.PERSON, roles, simulated=role.simulated)
            enrol(trust, person)
        self.enrol_server()

    def enrol_server(self) -> None:
        """Have a key for the server alone, and that one in the trust root: real people have keys of their own."""
        key = TrustedKey(self.server().keyid, "tminus on this machine", KeyKind.SERVER)
        enrol(trust_path(self._home), key)

    def confirmed(self, now: Callable[[], float], sha256: str, person: str, text: str) -> Json:
        """A simulated product owner's word for a version of a dashboard; the trust root has their key from then on."""
        signer = self._signer(_PRODUCT, person)
        key = TrustedKey(signer.keyid, person, KeyKind.PERSON, (_PRODUCT,), simulated=True)
        enrol(trust_path(self._home), key)
        return confirmed(signer, sha256, person, text, now())

    def server(self) -> Signer:
        """The key that seals records."""
        return self._load("server")

    def signatory(self, plan: Plan) -> "PlanSignatory":
        """Who signs in a launch of this plan."""
        return PlanSignatory({role.id: self._signer(role.id, role.person) for role in plan.roles})

    def _signer(self, role: str, person: str) -> Signer:
        return self._load(f"{role}-{person.lower().replace(' ', '-')}")

    def _load(self, name: str) -> Signer:
        folder = self._home / "keys"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Signer.load_or_create(folder / f"{name}.pem")


@dataclass(frozen=True, slots=True)
class PlanSignatory:
    """Signs in the name of a plan's roles."""

    signers: Mapping[str, Signer]

    def sign(self, role: str, statement: Json) -> Json:
        """See `Signatory.sign`."""
        return sign_statement(self.signers[role], statement)
