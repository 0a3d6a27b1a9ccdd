"""The picture as HTML: the whole page, and each part of it alone for the stream.

A part is one element with an id of its own and a mark of its content (`data-v`), so that the browser changes what
changed and nothing else. Text from outside is escaped everywhere.
"""

import re
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tminus.domain.canonical import instant
from tminus.picture import countdown, words
from tminus.picture.course import View
from tminus.picture.lines import COLUMNS
from tminus.picture.roster import Roster
from tminus.picture.tending import Tending
from tminus.picture.view import Picture
from tminus.web.evidence import Drawer, fresh_words

STATIC = Path(__file__).parent / "static"
VENDORED = ("htmx.min.js", "sse.min.js")
"""What makes the page live, filled in at set-up; without them it is as good, and loaded again by hand."""
PARTS = {
    View.COUNTDOWN: ("ids", "hero", "decision", "poll", "matrix", "needs", "milestones", "foot"),
    View.LIFTOFF: ("ids", "hero", "decision", "traffic", "charts", "guard", "timers", "criteria", "foot"),
    View.ROLLED_BACK: ("ids", "hero", "decision", "climb", "fired", "nexts", "answers", "foot"),
}
"""What each view is made of, beside the log, which only grows."""
LIST_PARTS = ("keeping", "open", "ended")
"""What the list of launches is made of."""
_MARK = "data-v"
_CODE = re.compile(r"`([^`]+)`")
_T0 = re.compile(r'(data-t0="([\d.]+)">)[^<]*<')
"""A clock of the list, with the instant of its T-0."""
_NO_CLOCK = f"<i>T{words.MINUS}</i>--:--:--"
"""What stands for the clock in a part: it ticks in the browser, and changes no part."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tminus.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = (
        "t_parts",
        "t_text",
        "t_spoken",
        "span",
        "share",
        "millis",
        "brief",
        "hour",
        "day",
        "plural",
    )
    made.filters |= {name: getattr(words, name) for name in names}
    made.filters |= {
        "lasting": words.length,
        "offset": words.offset,
        "instant": instant,
        "code": code,
        "fresh_words": fresh_words,
    }
    made.globals |= {
        "columns": COLUMNS,
        "strip": countdown.strip,
        "shown_needs": countdown.SHOWN,
        "unknown": words.UNKNOWN,
    }
    return made


def code(text: str) -> Markup:
    """A text with what stands between backticks as code; everything in it is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped in the line itself


_TEMPLATES = _environment()


def live() -> bool:
    """Whether the page can change by itself here."""
    return all((STATIC / "vendor" / name).is_file() for name in VENDORED)


def parts(picture: Picture) -> dict[str, str]:
    """Each part by its id, marked with its content."""
    return {
        name: _marked(_TEMPLATES.get_template(f"parts/{_template(name, picture)}.html").render(p=picture))
        for name in PARTS[picture.view]
    }


def _template(name: str, picture: Picture) -> str:
    """The decision and the head of a view differ from view to view."""
    return f"{name}_{picture.view.value}" if name == "decision" else name


def _marked(html: str) -> str:
    html = html.strip()
    return html.replace(f'{_MARK}=""', f'{_MARK}="{sha256(html.encode()).hexdigest()[:12]}"', 1)


def whole(picture: Picture, drawer: Drawer | None) -> str:
    """The page of one launch."""
    made = parts(picture)
    sign, figures = words.t_parts(picture.moment.t)
    made["hero"] = made["hero"].replace(_NO_CLOCK, f"<i>{sign}</i>{figures}", 1)
    return _TEMPLATES.get_template("page.html").render(
        p=picture, parts=made, drawer=drawer, live=live(), entries=picture.log
    )


def drawn(drawer: Drawer | None, launch: str) -> str:
    """The drawer alone."""
    return _TEMPLATES.get_template("drawer.html").render(drawer=drawer, launch=launch)


def list_parts(roster: Roster, tending: Tending | None) -> dict[str, str]:
    """Each part of the list by its id, marked with its content."""
    return {
        name: _marked(_TEMPLATES.get_template(f"list/{name}.html").render(r=roster, tending=tending))
        for name in LIST_PARTS
    }


def listed(roster: Roster, tending: Tending | None, now: float) -> str:
    """The list of launches, its clocks as they stand at `now` (seconds of the epoch)."""
    parts = {
        name: _T0.sub(lambda found: f"{found[1]}{words.t_text(now - float(found[2]))}<", html)
        for name, html in list_parts(roster, tending).items()
    }
    return _TEMPLATES.get_template("launches.html").render(parts=parts, live=live(), now=now)


def failed(message: str, hint: str) -> str:
    """A page that says why there is no other."""
    return _TEMPLATES.get_template("failed.html").render(message=message, hint=hint, live=live())


def patch(changed: dict[str, str]) -> str:
    """Parts as the stream sends them: each goes to the element of its own id."""
    return "".join(html.replace(f"{_MARK}=", f'hx-swap-oob="true" {_MARK}=', 1) for html in changed.values())


def logged(picture: Picture, after: int) -> str:
    """The entries of the log behind an event, for its upper end; nothing when there are none."""
    new = [entry for entry in picture.log if entry.seq > after]
    return _TEMPLATES.get_template("log_new.html").render(entries=new) if new else ""
