"""The two words that an expedited launch needs: of who asks for the short form, and of the second person."""

from collections.abc import Sequence

from tminus.domain.canonical import timestamp
from tminus.domain.expedition import EXPEDITED, Expedited, expedition_row, read_expedited
from tminus.domain.permission import Deed, Matter, permit
from tminus.domain.record import Entry
from tminus.domain.words import Expedition
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.wiring.acts import Choose, Hand, Scene, entry, signed


def ask(hand: Hand, path: Expedited) -> Choose:
    """The wish of who opens the launch; written once, however often it is typed."""

    def choose(scene: Scene) -> Sequence[Entry]:
        permit(Deed.EXPEDITE, scene.course, scene.plan, hand.role, Matter())
        if any(event.type == EXPEDITED for event in scene.events):
            return []
        return [_word(scene, hand, path, "")]

    return choose


def confirm(hand: Hand) -> Choose:
    """The word of the second person, whom the launch named when it was opened."""

    def choose(scene: Scene) -> Sequence[Entry]:
        path = path_of(scene)
        permit(Deed.SECOND, scene.course, scene.plan, hand.role, named(path))
        if hand.role.person != path.second:
            raise RefusedError(
                f"{path.second} was named to confirm it, and {path.second_role} is {hand.role.person}'s by now",
                hint=f"ask {path.second}; or scrub it, and open another that names you",
            )
        words = [event for event in scene.events if event.type == EXPEDITED]
        if len(words) != 1:
            why = f"{path.second} has confirmed it already" if words else f"{path.by} has not signed it yet"
            raise OutOfSequenceError(why, hint="`tminus status` says what it waits for")
        return [_word(scene, hand, path, words[0].digest)]

    return choose


def named(path: Expedited) -> Matter:
    """Whose the second word is: of the role that the launch named."""
    return Matter(None, path.by, path.second_role)


def path_of(scene: Scene) -> Expedited:
    """What the launch was opened with; raises `OutOfSequenceError` for one that takes the whole plan."""
    path = read_expedited(scene.events[0].data)
    if path is None:
        raise OutOfSequenceError(
            f"{scene.launch} takes the whole plan: there is nothing to confirm",
            hint="a launch is expedited from its opening on: tminus launch --expedited",
        )
    return path


def _word(scene: Scene, hand: Hand, path: Expedited, confirms: str) -> Entry:
    word = Expedition(
        launch=scene.launch,
        role=hand.role.id,
        person=hand.role.person,
        because=path.reason,
        signed_at=timestamp(scene.now),
        confirms=confirms,
    )
    return entry(scene, EXPEDITED, {**expedition_row(word), **signed(scene, hand, word)})
