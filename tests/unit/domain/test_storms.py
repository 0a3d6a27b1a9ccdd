"""A client that tries again within a second is counted once."""

from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.storms import Storms


def crowd() -> Storms:
    storms = Storms()
    for client in ("a", "b", "c"):
        assert storms.counts(client, bad=False)
    storms.tick()
    return storms


def test_of_a_storm_the_first_bad_answer_counts_alone() -> None:
    storms = crowd()
    assert [storms.counts("a", bad=True) for _ in range(5)] == [True, False, False, False, False]
    assert storms.counts("b", bad=True)


def test_good_answers_always_count() -> None:
    storms = crowd()
    assert all(storms.counts("a", bad=False) for _ in range(5))


def test_the_next_second_counts_anew() -> None:
    storms = crowd()
    storms.counts("a", bad=True)
    storms.counts("b", bad=False)
    storms.tick()
    assert storms.counts("a", bad=True)
    assert not storms.counts("a", bad=True)


def test_of_one_address_alone_everything_counts() -> None:
    storms = Storms()
    for _ in range(3):
        assert all(storms.counts("load", bad=True) for _ in range(4))
        storms.tick()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_what_is_left_out_is_bad_and_came_again(requests: list[tuple[str, bool]]) -> None:
    """So a test never sees more evidence of harm than without it."""
    storms = crowd()
    met: set[str] = set()
    for client, bad in requests:
        assert storms.counts(client, bad=bad) or (bad and client in met)
        met |= {client} if bad else set()
