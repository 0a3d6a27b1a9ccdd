"""A role's holder names another person for it: judged, signed and written like every act of people."""

from collections.abc import Sequence

from tminus.domain.canonical import timestamp
from tminus.domain.delegation import DELEGATED, able, delegated_row, latest, others
from tminus.domain.people import alike
from tminus.domain.permission import Deed, Matter, permit
from tminus.domain.reach import is_mail
from tminus.domain.record import Entry
from tminus.domain.words import Delegation
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.wiring.acts import Choose, Desk, Hand, Scene, entry, need_words, signed


def delegate(hand: Hand, to: str, because: str, desk: Desk, email: str = "") -> Choose:
    """Another person acts from now on for the role of whom the plan names; one's own name takes it back.

    `email` is where they are told; without one nobody can tell them by mail.
    """

    def choose(scene: Scene) -> Sequence[Entry]:
        permit(Deed.DELEGATE, scene.course, desk.plan, hand.role, Matter())
        role, at = hand.role.id, timestamp(scene.now)
        if scene.now > (until := latest(scene.evidence.schedule)):
            raise OutOfSequenceError(
                f"{role} could be delegated until T-24h, which was {timestamp(until)}",
                hint=f"{scene.role(role).person} acts as {role}; a later T-0 lets it be delegated again",
            )
        need_words("a reason", because)
        if email and not is_mail(email):
            raise RefusedError(f"{email!r} is no mail address", hint="write for example ada@shop.example")
        taken = others(scene.plan, role)
        free = [key.name for key in able(desk.trust, role, at) if alike(key.name) not in taken]
        name = next((one for one in free if alike(one) == alike(to)), None)
        if name is None:
            why = "holds another role" if alike(to) in taken else f"has no key for {role} in the trust root"
            could = ", ".join(sorted({one for one in free if one != scene.role(role).person})) or "nobody"
            raise RefusedError(
                f"{to} {why}", hint=f"who could act as {role}: {could}; see `tminus trust list`"
            )
        word = Delegation(scene.launch, role, hand.role.person, name, because, at, email)
        return [entry(scene, DELEGATED, {**delegated_row(word), **signed(scene, hand, word)})]

    return choose
