"""What a plan says of its target: names that a cluster can have, and systems that can be asked about it."""

from collections.abc import Mapping
from functools import partial

from promql_parser import VectorSelector

from tminus.alerting import expression
from tminus.domain import offsets
from tminus.domain.canonical import JsonValue
from tminus.domain.change import Change, When
from tminus.domain.metric import SIDE
from tminus.domain.resourcenames import is_label
from tminus.domain.trigger import VULNERABILITY
from tminus.planfile.document import Document
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place
from tminus.planfile.targetentry import OtherEntry, TargetEntry

KINDS = ("kubernetes",)
"""Where a release can be rolled out."""
BY_TARGET = ("local", "traffic")
"""Kinds of systems that a target shows, and that need no address then."""
AT_TARGET = ("kubernetes",)
"""Kinds of systems that are asked where the target is when they name no address of their own."""
_LONGEST = 42
"""Characters of a side's name: those of its Jobs, which end in `-migrate-` and a mark, are 63 at most."""
_NAMES = ("namespace", "blue", "green", "route", "switch", "container")
_ASKED = {"public": "website", "traffic": "prometheus", "images": "registry"}
"""By key: the kind of system that it names."""


def target(found: Findings) -> None:
    """Tell what nobody could roll out by this target."""
    written = found.document.target
    if written is None or not found.whole("target"):
        return
    if written.kind not in KINDS:
        found.tell(
            ("target", "kind"), f"{written.kind!r} is no kind of target; write one of {', '.join(KINDS)}"
        )
    _names(found, written)
    _divided(found, written)
    _asked(found, written)
    _counted(found, written)
    found.attempt(("target", "ready"), partial(offsets.seconds, written.ready))
    if not written.path.startswith("/"):
        found.tell(("target", "path"), f"{written.path!r} is no path; let it begin with /")
    _others(found, written)
    if not written.back_up:
        found.tell(("target",), "every launch backs up before it migrates; write `back_up: [COMMAND, …]`")
    found.attempt(("target", "job"), partial(offsets.seconds, written.job))


def changes(found: Findings) -> None:
    """Tell which changes say two things, or could not be told from no change."""
    names: set[str] = set()
    words = [when.value for when in When]
    for index, change in enumerate(found.document.changes):
        place = ("changes", index)
        if change.id in names:
            found.tell((*place, "id"), f"the change {change.id!r} stands twice")
        names.add(change.id)
        if change.when not in words:
            found.tell(
                (*place, "when"), f"{change.id}: {change.when!r} is no moment; write {' or '.join(words)}"
            )
        if change.after.strip() == change.before.strip():
            found.tell(
                (*place, "after"),
                f"{change.id}: it is {change.after!r} before and after; nothing would change",
            )


def moments(document: Document) -> Mapping[str, When]:
    """By each component beyond the first: when it is brought to its image."""
    written = document.target
    return {} if written is None else {one.component: When(one.when) for one in written.others}


def changes_of(document: Document) -> tuple[Change, ...]:
    """The changes as a plan keeps them."""
    return tuple(
        Change(
            one.id,
            When(one.when),
            tuple(one.apply),
            tuple(one.revert),
            tuple(one.read),
            one.after.strip(),
            one.before.strip(),
        )
        for one in document.changes
    )


def row(document: Document) -> Mapping[str, JsonValue] | None:
    """The target as a plan keeps it, each system by its name; nothing where the plan has none."""
    written = document.target
    if written is None:
        return None
    whole: dict[str, JsonValue] = written.model_dump(mode="json")
    asked = {key: _named(written, key) or next(iter(_known(document, key)), "") for key in _needed(document)}
    return {
        **whole,
        "public": asked["public"],
        "images": asked.get("images", ""),
        "traffic": {**written.traffic.model_dump(mode="json"), "system": asked["traffic"]},
    }


def systems(document: Document) -> list[str]:
    """The names of the systems that a rollout asks."""
    return (
        []
        if document.target is None
        else [name for key in _needed(document) for name in _known(document, key)]
    )


def _needed(document: Document) -> list[str]:
    """The keys whose systems this rollout asks: nobody reads SBOMs for a plan that does not scan."""
    scans = any(trigger.id == VULNERABILITY and trigger.system for trigger in document.triggers)
    return [key for key in _ASKED if key != "images" or scans]


def _known(document: Document, key: str) -> list[str]:
    """The systems that a key may mean."""
    assert document.target is not None  # noqa: S101 - whoever asks has one
    named = _named(document.target, key)
    kind = _ASKED[key]
    return [
        name
        for name, entry in document.systems.items()
        if entry.kind == kind and (not named or name == named)
    ]


def _named(written: TargetEntry, key: str) -> str:
    return written.traffic.system if key == "traffic" else str(getattr(written, key))


def _names(found: Findings, written: TargetEntry) -> None:
    for key in _NAMES:
        name = str(getattr(written, key))
        if name and not is_label(name):
            found.tell(
                ("target", key),
                f"{name[:80]!r} is no name in Kubernetes; a-z, 0-9 and - make one, 63 at most",
            )
    for key in ("blue", "green"):
        if len(getattr(written, key)) > _LONGEST:
            found.tell(
                ("target", key),
                f"{getattr(written, key)[:80]!r} is too long: Jobs are named after it; {_LONGEST} characters at most",
            )
    if written.blue == written.green:
        found.tell(("target", "green"), "blue and green have one name; give each its own")
    _repository(found, ("target", "image"), written.image)


def _others(found: Findings, written: TargetEntry) -> None:
    """That every component beyond the first is somewhere, once, and is none of the sides."""
    first, *wanted = found.document.release.components
    named: set[str] = set()
    for index, other in enumerate(written.others):
        place = ("target", "others", index)
        if other.component not in wanted:
            meant = f"one of {', '.join(wanted)}" if wanted else f"none: {first} is rolled out by sides"
            found.tell((*place, "component"), f"{other.component!r} is no other component; write {meant}")
        elif other.component in named:
            found.tell((*place, "component"), f"{other.component} stands twice")
        named.add(other.component)
        _other(found, place, other)
    for name in wanted:
        if name not in named and found.whole("release"):
            found.tell(
                ("target",),
                f"nobody has said where {name} runs; add `others: [{{component: {name}, deployment: …, image: …}}]`",
            )


def _other(found: Findings, place: Place, other: OtherEntry) -> None:
    target = found.document.target
    assert target is not None  # noqa: S101 - it is an entry of it
    words = [when.value for when in When]
    if other.deployment in {target.blue, target.green}:
        found.tell((*place, "deployment"), f"{other.component}: {other.deployment} is one of the two sides")
    if not is_label(other.deployment):
        found.tell((*place, "deployment"), f"{other.deployment[:80]!r} is no name in Kubernetes")
    _repository(found, (*place, "image"), other.image)
    if other.when not in words:
        found.tell(
            (*place, "when"), f"{other.component}: {other.when!r} is no moment; write {' or '.join(words)}"
        )


def _repository(found: Findings, place: Place, image: str) -> None:
    if "@" in image or ":" in image.rpartition("/")[2] or "://" in image:
        found.tell(
            place,
            f"{image[:120]!r} is no repository; leave scheme, tag and digest out: the launch has the digest",
        )


def _divided(found: Findings, written: TargetEntry) -> None:
    """What divides the traffic: one thing, and one that can do what the ladder asks."""
    if bool(written.route) == bool(written.switch):
        found.tell(
            ("target",),
            "what divides the traffic? Write `route: NAME` for an HTTPRoute, or `switch: NAME` for a Service; not both",
        )
    shares = [rung.weight for rung in found.document.rollout.ladder if rung.weight != 100]
    if written.switch and not written.route and shares:
        found.tell(
            ("rollout", "ladder"),
            f"a switched Service gives green all requests or none, never {shares[0]} %; keep the rung of 100, "
            "or write `route` into the target",
        )


def _asked(found: Findings, written: TargetEntry) -> None:
    """That each system it needs is in the plan, and that it is plain which."""
    if not found.whole("systems"):
        return
    for key in _needed(found.document):
        kind, place = _ASKED[key], ("target", key, "system") if key == "traffic" else ("target", key)
        known, named = _known(found.document, key), _named(written, key)
        if not known and named:
            found.tell(place, f"target: `{place[-1]}` names a system of kind {kind}; the plan has none of it")
        elif not known:
            found.tell(place, f"target: write a system `{{kind: {kind}, address: …}}` into `systems`")
        elif len(known) > 1:
            found.tell(place, f"target: which of {', '.join(known)} is meant? Write `{place[-1]}: …`")


def _counted(found: Findings, written: TargetEntry) -> None:
    for key in ("requests", "seconds"):
        text = str(getattr(written.traffic, key))
        place = ("target", "traffic", key)
        if SIDE not in text:
            found.tell(
                place, f"traffic: {SIDE} is missing, so both sides would be counted as one; select by it"
            )
            continue
        try:
            tree = expression.bare(expression.parse(text.replace(SIDE, "green")).tree)
        except ValueError as error:
            found.tell(
                place, f"traffic: Prometheus could not read this: {' '.join(str(error).split())[:200]}"
            )
            continue
        if not isinstance(tree, VectorSelector):
            found.tell(
                place,
                "traffic: this is no selector; name the counter with its labels alone, without rate(…) or sum(…)",
            )
