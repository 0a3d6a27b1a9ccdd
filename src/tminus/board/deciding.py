"""What stands in front of a person who decides: what would be launched, and what is not green. Pure."""

from collections.abc import Iterator

from tminus.domain.plan import Kind
from tminus.picture.lines import GREEN, rank
from tminus.picture.view import Picture
from tminus.picture.words import brief


def at_stake(shown: Picture) -> tuple[str, ...]:
    """The release and the lines in a few words, while GO or NO-GO is asked for; nothing at any other time."""
    return (*_releases(shown), _lines(shown)) if shown.course.asked else ()


def _releases(shown: Picture) -> Iterator[str]:
    """Each component with what runs now and what would run, by the beginnings of their digests."""
    opened = shown.course.opened
    for name, digest in opened["release"].items():
        before = opened.get("previous", {}).get(name)
        yield f"{name} {f'{brief(str(before))} -> ' if before else ''}{brief(str(digest))}"


def _lines(shown: Picture) -> str:
    """How many lines are green, how many nobody looks at, and the others by their names, the worst first."""
    judged = [line for line in shown.lines if line.check.due < 0 and line.check.kind is not Kind.SIGNATURE]
    other = sorted((line for line in judged if line.stands not in GREEN), key=lambda line: rank(line.stands))
    told = [f"{len(judged) - len(other)} of {len(judged)} passed"]
    if left := sum(shown.left_out.values()):
        told.append(f"{left} of {shown.course.opened['plan']['lines']} left out")
    told += (
        f"{stands}: {', '.join(line.check.id for line in other if line.stands == stands)}"
        for stands in dict.fromkeys(line.stands for line in other)
    )
    return " · ".join(told)
