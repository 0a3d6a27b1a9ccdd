"""Why not every request can be seen by what Prometheus has scraped, in words."""

from tminus.domain.canonical import timestamp
from tminus.domain.scrapes import GAP_SECONDS, Scrapes
from tminus.domain.traffic import Side

from .selectors import Counted


def blindness(scrapes: Scrapes, counted: Counted, now: float) -> str:
    """The first reason, at an instant in seconds of the epoch; empty where every request is seen in its time."""
    return next((why for side in Side if (why := _of(side, scrapes, counted, now))), "")


def _of(side: Side, scrapes: Scrapes, counted: Counted, now: float) -> str:
    book = scrapes.books[side]
    if not _expected(side, scrapes, now):
        return ""
    if not book.requests:
        return f"requests of {side}: nothing matches {counted.requests_of(side)}"
    if not book.labelled:
        return f"requests of {side}: no series of {counted.requests_of(side)} has the label {counted.status}"
    if book.bare:
        return f"latencies of {side}: no bucket matches {counted.buckets_of(side)}"
    late = _late(side, "requests", book.newest, scrapes, now)
    if book.latencies and not late:
        late = _late(side, "latencies", book.timed, scrapes, now)
    return late or _unseen(side, scrapes) or _absurd(side, scrapes)


def _expected(side: Side, scrapes: Scrapes, now: float) -> bool:
    """Whether a side must be scraped: one that gets requests; green not before it can have been.

    A side without a share may be stopped, and its counters end.
    """
    weight = scrapes.weight
    if weight is None or side is Side.BLUE:
        return side is Side.BLUE and (weight is None or weight.percent < 100)
    known = scrapes.books[side].newest > scrapes.since
    return weight.percent > 0 and (known or now - weight.at > scrapes.patience(side))


def _late(side: Side, what: str, newest: float, scrapes: Scrapes, now: float) -> str:
    if now - newest <= scrapes.patience(side):
        return ""
    every = scrapes.interval(side)
    usual = f"they are scraped every {every:g} s" if every else "how often they are scraped is not known"
    return f"the newest sample of the {what} of {side} is {now - newest:.1f} s old; {usual}"


def _unseen(side: Side, scrapes: Scrapes) -> str:
    gap = scrapes.unseen(side)
    return f"{between(*gap)}: a counter of {side} ended or began anew meanwhile" if gap else ""


def between(begin: float, end: float) -> str:
    """That requests of a stretch of time were not all seen."""
    return f"not all requests between {timestamp(begin)} and {timestamp(end)} were seen"


def _absurd(side: Side, scrapes: Scrapes) -> str:
    if scrapes.absurd is None or scrapes.absurd[0] is not side:
        return ""
    _, at, many = scrapes.absurd
    told = f"one scrape of {side} counts {many:,} new requests, which is no traffic: they are left out"
    return told if scrapes.newest - at <= GAP_SECONDS else ""
