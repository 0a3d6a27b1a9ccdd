"""How figures, times and names read on the page; unknown is a dash, never a zero."""

import re
from datetime import UTC, datetime

MINUS = "−"  # noqa: RUF001 - a true minus, as wide as the plus
UNKNOWN = "–"  # noqa: RUF001 - an en dash, as typography has it


def t_parts(t: float) -> tuple[str, str]:
    """The launch clock in its two parts: `T-` (with a true minus) and `03:42:10`."""
    whole = int(abs(t))
    sign = f"T{MINUS}" if t < 0 and whole else "T+"
    return sign, f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def t_text(t: float) -> str:
    """The launch clock as one word."""
    return "".join(t_parts(t))


def t_spoken(t: float) -> str:
    """The launch clock for those who hear it: `T minus 3 hours 42 minutes 10 seconds`."""
    whole = int(abs(t))
    units = ((whole // 3600, "hours"), (whole // 60 % 60, "minutes"), (whole % 60, "seconds"))
    told = " ".join(f"{count} {name}" for count, name in units if count) or "0 seconds"
    return f"T {'minus' if t < 0 and whole else 'plus'} {told}"


def offset(t: float) -> str:
    """A milestone as a plan writes it: `T-24 h`, `T-0`, `T+1 h`."""
    return f"T+{length(t)}" if t > 0 else f"T{MINUS}{length(-t) if t else 0}"


def span(seconds: float) -> str:
    """A stretch of time as a timer shows it: `0:42`, `1:02:10`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def spent(seconds: float) -> str:
    """How long something takes so far: `12 s`, `1:05`."""
    return f"{seconds:.0f} s" if seconds < 59.5 else span(round(seconds))


def length(seconds: float) -> str:
    """How long something lasts, in its largest fitting unit: `5 min`, `2 h`."""
    for size, least, unit in ((86400.0, 2, "d"), (3600.0, 1, "h"), (60.0, 1, "min")):
        if seconds >= least * size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def share(part: int, whole: int) -> str:
    """A share in percent; unknown of nothing."""
    if not whole:
        return UNKNOWN
    value = 100 * part / whole
    return f"{value:.2f} %" if value < 1 else f"{value:.1f} %"


def millis(ms: float | None) -> str:
    """A response time: `126 ms`, `3.0 s`."""
    if ms is None:
        return UNKNOWN
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def odds(evidence: float) -> str:
    """An e-value, short: `0.4`, `1,162`, `over 1,000,000`."""
    if evidence > 1_000_000:
        return "over 1,000,000"
    return f"{evidence:,.0f}" if evidence >= 10 else f"{evidence:.1f}"


def brief(digest: str) -> str:
    """The beginning of a digest, enough to know it again."""
    return digest.removeprefix("sha256:")[:8]


def hour(epoch: float) -> str:
    """An instant as `12:36:14`, in UTC; the browser adds the viewer's own zone."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%H:%M:%S")


def day(epoch: float) -> str:
    """An instant as `Tue 24 Nov 2026, 12:38 UTC`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%a %d %b %Y, %H:%M UTC")


_LONG_DIGEST = re.compile(r"\b(sha256:)?([0-9a-f]{8})[0-9a-f]{24,}…?")
_VERB = re.compile(r"^(Hold|Roll back|Continue) by [\w.-]+: ")


def claim(text: str) -> str:
    """What the guard said without the rule that stands beside it, and without its full stop."""
    return _VERB.sub("", text).removesuffix(".")


def short_digests(text: str) -> str:
    """A text whose digests are cut to their beginnings."""
    return _LONG_DIGEST.sub(r"\g<2>…", text)


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 line`, `3 lines`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
