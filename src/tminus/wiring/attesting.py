"""A person's word for a line of the plan: whose it may be, what it is shown with, and when it still comes in time."""

from collections.abc import Mapping, Sequence

from tminus.control.ports import Json
from tminus.domain.attempts import in_force
from tminus.domain.canonical import instant, timestamp
from tminus.domain.overdue import is_promotion, late
from tminus.domain.permission import Deed, Matter, permit
from tminus.domain.plan import Check, Kind, Severity
from tminus.domain.record import Entry, Event
from tminus.domain.words import ATTESTED, Attestation, attested_claim, attested_words, in_time, tells_harm
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.wiring.acts import Choose, Hand, Scene, Shown, entry, need_words, signed, word_of


def attest(  # noqa: PLR0913 - what a person says
    hand: Hand, name: str, statement: str, shown: Shown, *, holds: bool, item: str = ""
) -> Choose:
    """A person's word for a line, or for one `item` of it; for a blocker a second person confirms the first one's."""

    def choose(scene: Scene) -> Sequence[Entry]:
        check = scene.check(name)
        if check.kind is not Kind.PERSON:
            raise RefusedError(
                f"{name} is observed, not attested", hint="mend what is observed; a waiver is `tminus waive`"
            )
        need_words("a statement", statement)
        words = [event for event in scene.events if event.type == ATTESTED and event.data["check"] == name]
        standing = [word_of(Attestation, event) for event in in_force(scene.events) if event in words]
        first = _first(scene, words, check)
        deed = Deed.CONFIRM if first is not None and hand.role.id != check.owner else Deed.ATTEST
        permit(deed, scene.course, scene.plan, hand.role, Matter(check, first.person if first else ""))
        confirmed = first if deed is Deed.CONFIRM else None
        if confirmed is not None and (confirmed.statement, confirmed.holds) != (statement, holds):
            raise RefusedError(
                f"{confirmed.person} said: {confirmed.statement}",
                hint="confirm these very words, or say why not",
            )
        _about(check, item)
        others = {word.item: word for word in standing if word.item}
        before = next((word for word in reversed(standing) if word.item == item), None)
        repeated = in_time(before, blocker=check.severity is Severity.BLOCKER)
        if holds:
            _seen(scene, check)
            _shown(scene, check, shown, [word for word in others.values() if word.item != item])
        word = Attestation(
            launch=scene.launch,
            check=name,
            role=hand.role.id,
            person=hand.role.person,
            holds=holds,
            statement=statement,
            version=len(words) + 1,
            signed_at=timestamp(scene.now),
            evidence=shown.sha256,
            source=shown.name,
            confirms=words[-1].digest if confirmed else "",
            item=item,
            each=check.each,
            late_s=0 if repeated else late(check, scene.events, scene.now),
        )
        return [_attested(scene, hand, check, (word, confirmed, others))]

    return choose


def _about(check: Check, item: str) -> None:
    """Raise unless a word is about one of the things that the line asks for, where it asks for several."""
    if item and not check.each:
        raise RefusedError(f"{check.id} is said as a whole", hint="leave --of out")
    if check.each and item not in check.each:
        what = f"nothing that is called {item!r}" if item else "a word of each of its things"
        raise RefusedError(f"{check.id} asks for {what}", hint=f"say it --of one of: {', '.join(check.each)}")


def _seen(scene: Scene, check: Check) -> None:
    """Raise unless users are all on green already, where a line is about what follows T-0."""
    if check.due > 0 and _promoted(scene) is None:
        raise OutOfSequenceError(
            f"{check.id} is about users on green, and not all of them are there yet",
            hint="say it once they are; what is wrong already can be said now: --fails",
        )


def _promoted(scene: Scene) -> float | None:
    """Since when all users are on green, in seconds of the epoch."""
    return next((instant(event.at) for event in scene.events if is_promotion(event)), None)


def _shown(scene: Scene, check: Check, shown: Shown, others: Sequence[Attestation]) -> None:
    """Raise unless a line that asks for a file gets one of its own, made on green where it asks after T-0."""
    if not check.shown:
        return
    if not shown.sha256:
        raise RefusedError(
            f"a word for {check.id} counts only with what was seen, and no picture and no values are shown",
            hint="give a file or an address: --evidence",
        )
    same = next((one for one in others if one.evidence == shown.sha256), None)
    if same is not None:
        raise RefusedError(
            f"{shown.name} was shown for {same.item} already", hint="show what was seen of this one"
        )
    since = _promoted(scene)
    if check.due > 0 and since is not None and shown.made is not None and shown.made < since:
        raise RefusedError(
            f"{shown.name} is of {timestamp(shown.made)}, and all users are on green since {timestamp(since)}",
            hint="look again, and show what is there since",
        )


def _attested(
    scene: Scene,
    hand: Hand,
    check: Check,
    said: tuple[Attestation, Attestation | None, Mapping[str, Attestation]],
) -> Entry:
    (word, first, others), blocker = said, check.severity is Severity.BLOCKER
    claim = attested_claim(word, first, blocker=blocker, others=others)
    words = attested_words(word, first, blocker=blocker, others=others)
    # Of a launch that was opened before records said whom they ask, nobody could verify that a word brings it back:
    # there it does so at the next milestone.
    closes = check.due > 0 and check.severity is not Severity.ADVISORY and "asked" in scene.events[0].data
    data: Json = {
        **claim,
        **words,
        **({"harm": True} if tells_harm(claim, words, closes=closes) else {}),
        "text": check.text,
        "expect": "",
        "observed_at": scene.now,
    }
    return entry(scene, ATTESTED, {**data, **signed(scene, hand, word)})


def _first(scene: Scene, words: Sequence[Event], check: Check) -> Attestation | None:
    """The word of the present attempt that a second person would confirm; none where no second is needed."""
    standing = [event for event in in_force(scene.events) if event in words]
    if check.severity is not Severity.BLOCKER or not standing:
        return None
    word = word_of(Attestation, standing[-1])
    return None if word.confirms else word
