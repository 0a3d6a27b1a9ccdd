"""When a service counts as away: by all who could look, two at least, and never by one alone."""

from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.quorum import NEEDED, View, told, unavailable

VIEWS = st.lists(st.sampled_from((True, False, None)), max_size=6).map(
    lambda answers: [View(f"v{number}", answer) for number, answer in enumerate(answers)]
)


@given(VIEWS)
def test_away_is_what_each_that_could_look_says_and_two_at_least_looked(views: list[View]) -> None:
    looked = [view.answered for view in views if view.answered is not None]
    if len(looked) < 2:
        assert unavailable(views) is None
    else:
        assert unavailable(views) is not any(looked)


@given(VIEWS)
def test_one_more_that_gets_an_answer_ends_every_outage(views: list[View]) -> None:
    assert unavailable([*views, View("another", answered=True)]) is not True


@given(VIEWS)
def test_one_more_that_could_not_look_changes_nothing(views: list[View]) -> None:
    assert unavailable([*views, View("blind", None)]) == unavailable(views)


@given(VIEWS)
def test_who_gets_no_answer_is_told_by_name_whatever_the_others_see(views: list[View]) -> None:
    text = told(views)
    for view in views:
        if view.answered is None or (view.answered is False and unavailable(views) is not None):
            assert view.vantage in text


def test_one_alone_proves_nothing() -> None:
    assert NEEDED == 2
    assert unavailable([View("here", answered=False)]) is None
    assert unavailable([View("here", answered=False), View("there", None, "it is away")]) is None
    assert told([View("here", answered=False), View("there", None, "it is away")]) == (
        "1 of 2 vantage points could look, 2 are needed: there could not look (it is away)"
    )


def test_one_that_disagrees_is_told() -> None:
    views = [View("here", answered=False, why="status 503"), View("there", answered=True)]
    assert unavailable(views) is False
    assert told(views) == "1 of 2 vantage points get answers; here gets none (status 503)"
