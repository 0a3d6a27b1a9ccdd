"""The printable page."""

import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tminus.exporting.content import Content, Moment
from tminus.exporting.gathering import of_launch, of_plan
from tminus.exporting.page import age, page
from tminus.exporting.recorded import recorded

if TYPE_CHECKING:
    from tests.unit.exporting.export_world import content, document, planned, told
    from tests.unit.record_builder import RecordBuilder, trust_root
else:
    from export_world import content, document, planned, told
    from record_builder import RecordBuilder, trust_root

EVIL = "</td><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
VOID = {"meta", "br", "path", "circle", "rect", "use", "img"}


class Outline(HTMLParser):
    """Which elements a page has, whether each is closed, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


def words(text: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(" ".join(outline(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)).words).split())


def poisoned(value: Any, name: str = "") -> Any:
    """The same content with every free text replaced by an attack; what is no free text stays."""
    if is_dataclass(value) and not isinstance(value, type):
        changes = {part.name: poisoned(getattr(value, part.name), part.name) for part in fields(value)}
        return replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(poisoned(part, name) for part in value)
    if isinstance(value, dict):
        keys = value if name == "source" else [EVIL] * len(value)
        return dict(zip(keys, (poisoned(part, name) for part in value.values()), strict=True))
    fixed = name in {"at", "until", "opened_at", "ended_at", "t0", "decision", "standing"}
    return EVIL if isinstance(value, str) and not fixed else value


def test_everything_that_comes_from_outside_is_words_and_never_markup(record: RecordBuilder) -> None:
    record.open()
    record.observe("rb.tested", "failed")
    record.waive("rb.tested")
    record.observe("cfg.cors", "passed", source="simulated")
    record.poll()
    record.sign("cto")
    record.decide("no-go")
    record.add("launch.ended", {"outcome": "no-go", "rule": "a1", "text": "why"})
    record.seal()
    found: Content = poisoned(content(record))
    assert found.plan.name == EVIL
    for each in (found, poisoned(replace(of_plan(planned(document())), to_fill=("x",)))):
        text = page(each)
        seen = outline(text)
        assert "script" not in seen.seen
        assert "img" not in seen.seen
        assert seen.handlers == []
        assert "alert(1)" in text
        assert "49" not in words(text).replace("7*7", "")


def test_a_page_needs_nothing_but_itself(record: RecordBuilder) -> None:
    text = page(content(record.complete()))
    seen = outline(text)
    assert {"script", "link", "iframe", "img"} & seen.seen == set()
    assert all(re.fullmatch(r"#s-\w+|launch\.jsonl#[0-9a-f]{64}", address) for address in seen.addresses)
    assert "url(" not in text
    assert "@import" not in text
    assert {address[3:] for address in seen.addresses if address.startswith("#s-")} <= set(
        re.findall(r'id="s-(\w+)"', text)
    )


def test_a_page_says_what_was_decided_by_whom_and_over_what(record: RecordBuilder) -> None:
    text = words(page(content(record.complete())))
    for said in (
        "Landed",
        "5 of 6 lines green, 1 not in this plan",
        "GO by Cleo Chief",
        "all green",
        "Emil Eng",
        record.events[-1].digest,
        "Database backup taken",
        "2027-01-15 08:00:02 UTC (",
        "no pager",
        "SMS for on-call",
        "slack stand-in",
        "promote done",
    ):
        assert said in text, said
    assert "Signers unknown." in text
    assert "Simulated people." not in text


def test_a_trusted_record_is_not_called_unknown(record: RecordBuilder) -> None:
    data = b"".join(record.complete().lines)
    text = words(page(of_launch(recorded("r.jsonl", data, trust_root()), "r.jsonl", None)))
    assert "Signers unknown" not in text


def test_simulated_people_are_called_so_at_the_top_and_at_every_name() -> None:
    record = RecordBuilder(simulated=True).complete()
    text = words(page(content(record)))
    assert "Simulated people." in text
    assert text.count("Dana Ops simulated") == 2
    assert "GO by Cleo Chief simulated" in text


def test_a_plan_that_was_not_launched_claims_nothing() -> None:
    text = words(page(replace(of_plan(planned(document())), to_fill=("roles: who is the CTO",))))
    assert "Not launched" in text
    assert "Nothing on this page was observed." in text
    assert "roles: who is the CTO" in text
    assert "passed" not in text


def test_a_launch_without_its_plan_still_makes_a_page(record: RecordBuilder) -> None:
    text = words(page(of_launch(told(record.complete()), "launch.jsonl", None)))
    assert "bk.db" in text
    assert "comm.bridge" in text


def test_a_moment_before_a_t0_was_set_has_no_launch_clock(record: RecordBuilder) -> None:
    found = content(record.complete())
    bare = replace(found, course=(Moment(None, "2027-01-15T08:00:01.000Z", "k", "w", "e" * 64),))
    assert "08:00:01 w" in words(page(bare))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (86_399, "23 h 59 min"),
        (200_000, "2 d 7 h"),
        (-3, "0 s"),
    ],
)
def test_an_age_has_its_two_largest_units(seconds: float, said: str) -> None:
    assert age(seconds) == said
