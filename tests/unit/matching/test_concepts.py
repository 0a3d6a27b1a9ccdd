"""The vocabulary and what is known of each line hold together; words and headings are read as meant."""

from typing import TYPE_CHECKING

import pytest

from tminus.matching.context import context_of
from tminus.matching.lexicon import Lexicon, plain, repeated, tokens
from tminus.matching.lines import SAYINGS
from tminus.matching.reading import Bound, bound, taken_apart
from tminus.matching.saying import MOMENTS, Saying
from tminus.matching.vocabulary import COMPOUNDS, CONCEPTS, FREE, ORDERS

if TYPE_CHECKING:
    from tests.unit.matching.matching_world import IDS
else:
    from matching_world import IDS

LEXICON = Lexicon.standard()


def concepts(text: str) -> list[str]:
    return [one for one in LEXICON.concepts(tokens(plain(text)))[0] if one != "of no weight"]


def words_of(saying: Saying) -> set[str]:
    entries = (*saying.says, saying.may, saying.near, saying.only, saying.never, saying.word)
    return {word.lstrip("~?^+#") for entry in entries for word in entry.replace("|", " ").split()}


def test_every_line_of_the_plan_is_known_in_other_words() -> None:
    assert set(SAYINGS) == set(IDS)


@pytest.mark.parametrize("known_id", sorted(SAYINGS))
def test_a_saying_uses_words_of_the_vocabulary(known_id: str) -> None:
    assert words_of(SAYINGS[known_id]) <= set(CONCEPTS) | MOMENTS


def test_a_word_belongs_to_one_concept() -> None:
    assert repeated(CONCEPTS.items()) == {}
    assert repeated(ORDERS.items()) == {}
    assert repeated([("one", "a, b"), ("two", "b")]) == {"b": ["one", "two"]}


def test_compounds_and_free_words_name_concepts() -> None:
    assert {concept for said in COMPOUNDS.values() for concept in said.split()} | FREE <= set(CONCEPTS)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("DB snapshots", ["database", "backup"]),
        ("backed up", ["backup", "done"]),
        ("rolled back", ["rollback"]),
        ("Rückmeldung", ["feedback"]),
        ("Base de données", ["database"]),
        ("95th percentile", ["percentile"]),
        ("Backup on-call", ["secondary", "oncall"]),
        ("on-call schedule scheduled", ["oncall", "rotation", "schedule"]),
    ],
)
def test_words_mean_concepts(text: str, meaning: list[str]) -> None:
    assert concepts(text) == meaning


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (">80%", Bound(">", 0.8, "share")),
        ("below 0,5 %", Bound("<", 0.005, "share")),
        ("≤ 500 ms", Bound("<", 0.5, "seconds")),
        ("more than 2 minutes", Bound(">", 120.0, "seconds")),
        ("&gt;1000", Bound(">", 1000.0, "")),
    ],
)
def test_a_limit_is_read_in_base_units(text: str, limit: Bound) -> None:
    found = bound(plain(text))
    assert (found.sign, found.unit) == (limit.sign, limit.unit)
    assert found.value == pytest.approx(limit.value)


@pytest.mark.parametrize(
    "text",
    ["git add docs/ROLLBACK.md", "BASE_URL=http://x pytest -v", "make --always", "word " * 40, "", "🎉"],
)
def test_commands_files_and_prose_are_no_lines(text: str) -> None:
    assert taken_apart(text, LEXICON) is None


def test_what_is_said_in_passing_is_kept_apart() -> None:
    line = taken_apart("Backup verified (restore test) - by Ops", LEXICON)
    assert line
    assert line.concepts == ["backup", "verify"]
    assert line.aside == ["restore"]
    assert line.strange_aside == ["ops"]


@pytest.mark.parametrize(
    ("heading", "tag"),
    [
        ("T-24 Hours", "t-24"),
        ("T\u22124h", "t-4"),
        ("T-2 Hours", "t-2"),
        ("T-60 minutes", "t-2"),
        ("T-30 min", "t-1"),
        ("T-0 (Deployment Start)", "t-0"),
        ("T+1 Hour (Post-Deployment)", "t+1"),
        ("T+4 Hours", "t+4"),
        ("Day -1", "t-24"),
        ("2 hours before", "t-2"),
        ("24 hours after launch", "t+24"),
        ("Après déploiement", "after"),
        ("Pre-flight", "before"),
    ],
)
def test_a_heading_names_a_moment(heading: str, tag: str) -> None:
    assert tag in context_of(("Checklist", heading), LEXICON).tags


def test_an_inner_heading_outweighs_the_outer() -> None:
    context = context_of(("Pre-deployment and post-deployment", "Pre-deployment", "T+4 hours"), LEXICON)
    assert "after" in context.tags
    assert "before" not in context.tags
    assert context_of(("Production release", "Sprint 3"), LEXICON).development
    assert not context_of(("Sprint 3", "Production release"), LEXICON).development
