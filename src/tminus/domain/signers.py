"""Whether a signature counts: by whose key it is, for which role, then and when it was recorded."""

from dataclasses import dataclass, field

from tminus.domain.canonical import instant
from tminus.domain.policy import Opened
from tminus.domain.record import Event
from tminus.domain.report import Signature, SignedStatement
from tminus.domain.times import judge_signed
from tminus.domain.trust import KeyKind, TrustRoot
from tminus.domain.words import Word
from tminus.errors import RecordError

_HINT = "do not rely on this launch: its record does not prove what it says"


def check_trusted(trust: TrustRoot, vote: Signature, recorded_at: str) -> None:
    """Raise `RecordError` unless the trust root gives this key to this person for this role, at both times."""
    key = trust.signer(vote.keyid, KeyKind.PERSON, vote.at, recorded_at)
    if key.name != vote.person:
        raise RecordError(f"signed as {vote.person}, but with the key of {key.name}", hint=_HINT)
    if vote.role not in key.roles:
        raise RecordError(
            f"{key.name} may not sign as {vote.role}, only as {', '.join(key.roles)}", hint=_HINT
        )
    if key.simulated != vote.simulated:
        raise RecordError(
            f"{key.name} is {'' if key.simulated else 'not '}simulated, but signed otherwise", hint=_HINT
        )


@dataclass(slots=True)
class Signers:
    """Whose keys signed what in one record so far."""

    trust: TrustRoot | None
    """None where whose keys they are is not known."""
    people: dict[str, str] = field(default_factory=dict)
    """The role of every person who signed off or decided."""
    key_roles: dict[str, str] = field(default_factory=dict)
    last_signed: dict[tuple[str, str], float] = field(default_factory=dict)
    """By key and kind of act, so that no signature can be played a second time."""
    server_keys: dict[str, None] = field(default_factory=dict)

    def check_word(
        self, word: Word, signed: SignedStatement, event: Event, *, simulated: bool = False
    ) -> None:
        """The key is this person's, for this role, then and now, and the word was not played before."""
        said = Signature(word.role, word.person, "", word.signed_at, signed.keyid, simulated, note="")
        if self.trust:
            check_trusted(self.trust, said, event.at)
        self._check_new(said, event)

    def check_vote(self, vote: Signature, event: Event, rules: Opened) -> None:
        """The key is this person's, for this role, then and now, and used for nothing else here."""
        if vote.decision not in {"go", "no-go"}:
            raise RecordError(f"{vote.decision!r} is neither go nor no-go", hint=_HINT)
        if vote.simulated and rules.production:
            raise RecordError(f"{vote.person} is simulated, but the plan is marked production", hint=_HINT)
        if self.trust:
            check_trusted(self.trust, vote, event.at)
        if self.people.setdefault(vote.person, vote.role) != vote.role:
            raise RecordError(
                f"{vote.person} signed as {self.people[vote.person]} before: one role each", hint=_HINT
            )
        if self.key_roles.setdefault(vote.keyid, vote.role) != vote.role or vote.keyid in self.server_keys:
            raise RecordError("this key signed in another role before: one role each", hint=_HINT)
        rules.check_role(vote.person, vote.role)
        self._check_new(vote, event)

    def check_server(self, keyid: str, event: Event) -> None:
        """The key is a server's, and no person's."""
        if self.trust:
            self.trust.signer(keyid, KeyKind.SERVER, event.at)
        if keyid in self.key_roles:
            raise RecordError("a person's key signed as the server", hint=_HINT)
        self.server_keys[keyid] = None

    def _check_new(self, vote: Signature, event: Event) -> None:
        judge_signed(event, vote.at)
        signed = instant(vote.at)
        if signed <= self.last_signed.get((vote.keyid, event.type), float("-inf")):
            raise RecordError("signed no later than this key's signature before: played again", hint=_HINT)
        self.last_signed[(vote.keyid, event.type)] = signed
