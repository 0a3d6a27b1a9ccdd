"""From the growth of counters to single requests: nothing is lost, added or drawn."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tminus.domain.counted import Batch, growth, latencies, outcomes, status_of, stop_of
from tminus.domain.counters import Track
from tminus.domain.scrapes import BACK_SECONDS, MOST_REQUESTS, Look, Scrapes
from tminus.domain.trace import parse_line, read, render
from tminus.domain.traffic import Outcome, Side, WeightChange

SINCE = 1_800_000_000.0
EVERY = 15.0
INF = math.inf


@pytest.mark.parametrize(
    ("before", "now", "more"),
    [
        (None, 3.0, 3),
        (5.0, 5.0, 0),
        (5.0, 9.0, 4),
        (9.0, 2.0, 2),
        (9.0, 0.0, 0),
        (1.6, 2.4, 1),
        (2.4, 2.9, 0),
    ],
)
def test_growth_is_what_was_counted_since(before: float | None, now: float, more: int) -> None:
    assert growth(before, now) == more


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_growth_over_parts_is_growth_over_all(values: list[float]) -> None:
    values.sort()
    parts = [growth(a, b) for a, b in pairwise([0.0, *values])]
    assert sum(parts) == math.floor(values[-1])


@pytest.mark.parametrize(
    ("label", "status"),
    [
        ("200", 200),
        ("599", 599),
        ("5xx", 500),
        ("2xx", 200),
        ("0", 0),
        ("", 0),
        ("OK", 0),
        ("600", 0),
        ("099", 0),
        ("99", 0),
        ("²00", 0),
        ("-20", 0),
        ("2e2", 0),
    ],
)
def test_a_text_that_is_no_status_is_no_answer(label: str, status: int) -> None:
    assert status_of(label) == status


def test_latencies_stand_evenly_within_their_buckets() -> None:
    assert latencies({0.1: 2, 0.5: 2, 1.0: 4, INF: 5}, 5) == pytest.approx([25, 75, 625, 875, 2000])


def test_another_number_of_latencies_is_taken_by_its_quantiles() -> None:
    assert latencies({0.1: 1, INF: 1}, 4) == pytest.approx([12.5, 37.5, 62.5, 87.5])
    assert latencies({0.1: 90, 1.0: 100, INF: 100}, 10)[-1] == pytest.approx(1000 * (0.1 + 0.9 * 0.5))


def test_a_histogram_that_says_nothing_gives_zeros() -> None:
    assert latencies({}, 2) == [0.0, 0.0]
    assert latencies({0.1: 0, INF: 0}, 1) == [0.0]
    assert latencies({INF: 3}, 3) == [0.0] * 3


bucket_sets = st.dictionaries(
    st.floats(0.001, 60) | st.just(INF), st.integers(0, 50), max_size=6
)  # also such as fall from one bound to the next


@given(bucket_sets, st.integers(0, 200))
def test_latencies_ascend_and_stay_within_the_bounds(buckets: dict[float, int], many: int) -> None:
    found = latencies(buckets, many)
    assert len(found) == many
    assert all(a <= b for a, b in pairwise(found))
    finite = [bound for bound in buckets if bound < INF]
    assert all(0 <= ms <= 2000 * max(finite, default=0.0) * 1.000001 for ms in found)


@given(
    st.dictionaries(st.sampled_from([0, 200, 404, 500, 503]), st.integers(1, 40), min_size=1),
    bucket_sets,
    st.floats(0.001, 100),
)
def test_outcomes_are_exactly_the_requests_of_the_batch(
    statuses: dict[int, int], buckets: dict[float, int], length: float
) -> None:
    batch = Batch(Side.GREEN, SINCE, SINCE + length, SINCE + length, statuses, buckets)
    found = outcomes(batch)
    many = sum(statuses.values())
    assert Counter(one.status for one in found) == Counter(statuses)
    assert sorted(one.ms for one in found) == latencies(buckets, many)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert all(SINCE <= one.at < SINCE + length for one in found)
    assert {(one.side, one.client, one.number) for one in found} == {(Side.GREEN, "", None)}
    assert found == outcomes(batch)
    for one in found:
        assert parse_line(json.dumps(render(one)), 1) == one


def test_failures_are_neither_the_slowest_nor_the_fastest_nor_together() -> None:
    found = outcomes(Batch(Side.BLUE, 0.0, 10.0, 10.0, {200: 90, 500: 10}, {1.0: 100, INF: 100}))
    ranks = sorted(round(one.ms / 10) for one in found if one.failed)
    places = sorted(place for place, one in enumerate(found) if one.failed)
    for spread in (ranks, places):
        assert spread[0] < 20
        assert spread[-1] > 80
        assert max(b - a for a, b in pairwise(spread)) < 30


def test_the_failed_one_of_two_is_not_always_the_slower() -> None:
    slower = {
        max(
            outcomes(Batch(Side.BLUE, at, at + 15, at + 15, {200: 1, 500: 1}, {1.0: 2})),
            key=lambda one: one.ms,
        ).status
        for at in (SINCE + 15.0 * n for n in range(8))
    }
    assert slower == {200, 500}


def test_requests_stop_before_the_first_change_of_weight_in_their_interval() -> None:
    changes = [WeightChange(at, 10) for at in (90.0, 104.0, 110.0)]
    assert stop_of(100.0, 115.0, changes) == 104.0
    assert stop_of(104.0, 115.0, changes) == 110.0
    assert stop_of(110.0, 115.0, changes) == 115.0
    found = outcomes(Batch(Side.GREEN, 100.0, 104.0, 115.0, {200: 1000}, {1.0: 1000}))
    assert all(100.0 < one.at < 104.0 for one in found)


# What follows plays scrapes of pods, each at its own moments, and gives them to `Scrapes` in parts.


@dataclass(frozen=True)
class Scrape:
    """What one pod's metrics said."""

    side: Side
    pod: str
    at: float
    counts: dict[str, float]
    buckets: dict[str, float]

    def look(self) -> Look:
        return Look(
            [Track(f"{self.pod} {code}", code, ((self.at, value),)) for code, value in self.counts.items()],
            [Track(f"{self.pod} le {le}", le, ((self.at, value),)) for le, value in self.buckets.items()],
        )


def looks(scrapes: Sequence[Scrape]) -> dict[Side, Look]:
    found: dict[Side, Look] = {side: Look([], []) for side in Side}
    for one in scrapes:
        look = one.look()
        found[one.side] = Look(
            [*found[one.side].requests, *look.requests], [*found[one.side].latencies, *look.latencies]
        )
    return {side: Look(joined(look.requests), joined(look.latencies)) for side, look in found.items()}


def joined(tracks: Sequence[Track]) -> list[Track]:
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for track in tracks:
        points.setdefault((track.series, track.label), []).extend(track.points)
    return [Track(*key, tuple(sorted(some))) for key, some in points.items()]


def begun(known: Sequence[Scrape] = (), weights: Sequence[WeightChange] = ()) -> Scrapes:
    scrapes = Scrapes(SINCE, weights)
    scrapes.begin(SINCE, looks(known))
    return scrapes


def given_out(
    scrapes: Scrapes, parts: Sequence[Sequence[Scrape]], *, reloaded: bool = False
) -> list[Outcome]:
    found: list[Outcome] = []
    for part in parts:
        scrapes.take(looks(part))
        found += [item for item in scrapes.due() if isinstance(item, Outcome)]
        if reloaded:
            scrapes = Scrapes.of(json.loads(json.dumps(scrapes.data(), allow_nan=False)))
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[Scrape]:
    """Pods of both sides, of which some begin late, restart or miss a scrape; sorted by time."""
    found: list[Scrape] = []
    for side in Side:
        for number in range(draw(st.integers(1, 2))):
            offset = draw(st.integers(0, 14_999)) / 1000
            counts: dict[str, float] = {}
            le: dict[str, float] = {"0.1": 0.0, "1": 0.0, "+Inf": 0.0}
            for turn in range(draw(st.integers(0, 2)), 7):
                if draw(st.integers(0, 9)) == 0:
                    counts, le = {}, dict.fromkeys(le, 0.0)
                for code in draw(st.sets(st.sampled_from(["200", "404", "500", "?"]))):
                    more = draw(st.integers(0, 12))
                    counts[code] = counts.get(code, 0.0) + more
                    for bound in list(le)[draw(st.integers(0, 2)) :]:
                        le[bound] += more
                if draw(st.integers(0, 9)) > 0:
                    at = SINCE + offset + EVERY * (turn - 1)
                    found.append(Scrape(side, f"{side}{number}", at, dict(counts), dict(le)))
    return sorted(found, key=lambda one: one.at)


def rest_of(history: Sequence[Scrape]) -> list[Scrape]:
    """One more pod of each side, scraped three more times without requests, so that all is complete."""
    ends = max((one.at for one in history), default=SINCE) + EVERY
    return [
        Scrape(side, f"{side} end", ends + EVERY * turn + number, {"200": 0.0}, {"+Inf": 0.0})
        for turn in range(4)
        for number, side in enumerate(Side)
    ]


def expected(history: Sequence[Scrape]) -> Counter[tuple[Side, int]]:
    """What the counters have grown by since the first look, by plain addition."""
    total: Counter[tuple[Side, int]] = Counter()
    last: dict[tuple[str, str], float] = {}
    for one in history:
        for code, value in one.counts.items():
            before = last.get((one.pod, code), 0.0)
            last[one.pod, code] = value
            if one.at > SINCE:
                total[one.side, status_of(code)] += int(value if value < before else value - before)
    return +total


@settings(max_examples=40)  # each one is many scrapes
@given(histories())
def test_all_requests_and_no_others_are_given_out(history: list[Scrape]) -> None:
    found = given_out(begun(), [[*history, *rest_of(history)]])
    assert Counter((one.side, one.status) for one in found if one.side) == expected(history)


@settings(max_examples=40)  # each one is many scrapes
@given(histories(), st.data(), st.booleans())
def test_the_same_comes_out_however_the_samples_were_fetched(
    history: list[Scrape],
    data: st.DataObject,
    reloaded: bool,  # noqa: FBT001 - drawn
) -> None:
    whole = [*history, *rest_of(history)]
    # What two pods of a side count from one instant to another is laid out together, where it is fetched together.
    between = [0, *(n for n in range(1, len(whole)) if whole[n].at != whole[n - 1].at), len(whole)]
    cuts = sorted(data.draw(st.sets(st.sampled_from(between))))
    parts = [whole[a:b] for a, b in pairwise([0, *cuts, len(whole)])]
    once = given_out(begun(), [whole])
    assert given_out(begun(), parts, reloaded=reloaded) == once
    assert given_out(begun(), [whole[a:b] for a, b in pairwise(between)]) == once
    again = [[*whole[max(0, a - 5) : b]] for a, b in pairwise([0, *cuts, len(whole)])]
    assert given_out(begun(), again) == once, "what was fetched before is not taken again"


@settings(max_examples=40)  # each one is many scrapes
@given(histories(), st.lists(st.integers(1, 80), max_size=3))
def test_a_trace_with_its_weights_can_be_read(history: list[Scrape], moments: list[int]) -> None:
    weights = [WeightChange(SINCE + at, 50) for at in sorted(moments)]
    scrapes = begun(weights=weights)
    scrapes.take(looks([*history, *rest_of(history)]))
    items = scrapes.due()
    assert [item for item in items if isinstance(item, WeightChange)] == weights
    assert list(read(json.dumps(render(item)) for item in items)) == items


def pod(side: Side, at: float, name: str = "", **counts: float) -> Scrape:
    total = sum(counts.values())
    labels = {code.removeprefix("s"): value for code, value in counts.items()}
    return Scrape(side, name or side.value, SINCE + at, labels, {"0.1": total, "+Inf": total})


def test_a_series_of_the_first_look_begins_with_what_it_says_then() -> None:
    known = [pod(Side.BLUE, -1, s200=1000)]
    found = given_out(begun(known), [known, [pod(Side.BLUE, 14, s200=1003, s500=2)]])
    assert Counter(one.status for one in found) == {200: 3, 500: 2}
    assert all(SINCE - 1 < one.at < SINCE + 14 for one in found)


def test_a_series_that_missed_scrapes_or_was_away_at_the_first_look_is_not_new() -> None:
    known = [pod(Side.BLUE, -900, s200=1000), pod(Side.BLUE, -1, name="other", s200=5)]
    parts = [[pod(Side.BLUE, at, name="other", s200=5)] for at in (14, 29, 44)]
    found = given_out(
        begun(known),
        [
            [known[1]],
            *parts,
            [pod(Side.BLUE, 45, s200=1001)],
            *[[pod(Side.BLUE, at, name="other", s200=5)] for at in (59, 74, 89, 104)],
        ],
    )
    assert [one.status for one in found] == [200]


def test_what_is_scraped_of_one_pod_waits_for_the_others() -> None:
    scrapes = begun([pod(Side.BLUE, -1, s200=0), pod(Side.GREEN, -1, s200=0)])
    first = [pod(Side.BLUE, 0, s200=0), pod(Side.GREEN, 5, s200=0)]
    early = given_out(scrapes, [first, [pod(Side.BLUE, 15, s200=15)]])
    assert [one.at for one in early] == [SINCE + at + 0.5 for at in range(5)], "green is known up to 5"
    later = given_out(scrapes, [[pod(Side.GREEN, 20, s200=15)]])
    assert max(one.at for one in later) <= SINCE + 15
    assert [one.at for one in later] == sorted(one.at for one in later)
    assert Counter(one.side for one in later) == {Side.BLUE: 10, Side.GREEN: 10}


def test_a_pod_that_ended_is_not_waited_for_for_ever() -> None:
    ended = [pod(Side.GREEN, at, s200=at) for at in (1, 16)]
    going = [pod(Side.BLUE, at, s200=at) for at in range(2, 90, 15)]
    found = given_out(begun(), [ended, going])
    assert sum(one.side is Side.GREEN for one in found) == 16
    assert sum(one.side is Side.BLUE for one in found) == 77


def test_a_time_without_any_scrape_ends_nothing() -> None:
    before = [
        pod(Side.BLUE, 0, s200=0),
        pod(Side.BLUE, 15, s200=1),
        pod(Side.GREEN, 3, s200=0),
        pod(Side.GREEN, 18, s200=1),
    ]
    scrapes = begun()
    given_out(scrapes, [before, [pod(Side.BLUE, 300, s200=100)]])
    assert scrapes.frontier == SINCE + 18, "green is waited for"
    found = given_out(scrapes, [[pod(Side.GREEN, 303, s200=100)]])
    assert scrapes.frontier == SINCE + 300
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert scrapes.unseen(Side.GREEN) is None, "every counter went on"
    assert scrapes.unseen(Side.BLUE) is None


def test_a_counter_that_ended_or_began_anew_in_a_gap_is_told_for_a_minute() -> None:
    before = [pod(Side.BLUE, at, name=name, s200=9) for at in (1, 16) for name in "ab"]
    scrapes = begun()
    given_out(scrapes, [before, [pod(Side.BLUE, 301, name="a", s200=9)]])
    assert scrapes.unseen(Side.BLUE) == (SINCE + 16, SINCE + 301), "b is missing"
    given_out(scrapes, [[pod(Side.BLUE, 302, name="b", s200=9)]])
    assert scrapes.unseen(Side.BLUE) is None
    again = begun()
    given_out(again, [before, [pod(Side.BLUE, 301, name=name, s200=4) for name in "ab"]])
    assert again.unseen(Side.BLUE) == (SINCE + 16, SINCE + 301)
    given_out(
        again, [[pod(Side.BLUE, at, name=name, s200=4) for at in (316, 331, 346, 362) for name in "ab"]]
    )
    assert again.unseen(Side.BLUE) is None


def test_what_comes_too_late_is_no_more_than_a_minute_back() -> None:
    scrapes = begun()
    one = [pod(Side.BLUE, at, name="a", s200=at) for at in range(1, 200, 15)]
    late = [pod(Side.BLUE, 2, name="b", s200=0), pod(Side.BLUE, 200, name="b", s200=50)]
    scrapes.take(looks(sorted([*one, *late], key=lambda one: one.at)))
    items = scrapes.due()
    latest = -math.inf
    for item in items:
        assert item.at >= latest - BACK_SECONDS - 1e-6
        latest = max(latest, item.at)
    assert sum(isinstance(item, Outcome) for item in items) >= 190


def test_a_weight_that_is_noted_stands_at_once_and_requests_lie_before_it() -> None:
    scrapes = begun([pod(Side.BLUE, -1, s200=0)])
    given_out(scrapes, [[pod(Side.BLUE, -1, s200=0)], [pod(Side.BLUE, 14, s200=3)]])
    scrapes.note(WeightChange(SINCE + 20, 10))
    assert scrapes.due() == [WeightChange(SINCE + 20, 10)]
    found = given_out(scrapes, [[pod(Side.BLUE, 29, s200=9)]])
    assert len(found) == 6
    assert all(SINCE + 14 < one.at < SINCE + 20 for one in found)
    assert all(one.at > SINCE + 29 for one in given_out(scrapes, [[pod(Side.BLUE, 44, s200=12)]]))


def test_weights_from_before_come_to_their_places() -> None:
    weights = [WeightChange(SINCE + 20, 10), WeightChange(SINCE + 50, 25)]
    scrapes = begun(weights=weights)
    scrapes.take(looks([pod(Side.BLUE, at, s200=at) for at in (1, 16, 31, 46)]))
    items = scrapes.due()
    assert [item.at for item in items] == sorted(item.at for item in items)
    assert weights[0] in items
    assert not scrapes.placed
    scrapes.note(WeightChange(SINCE + 60, 50))
    assert scrapes.due() == [weights[1], WeightChange(SINCE + 60, 50)]
    assert scrapes.placed


def test_an_old_counter_that_is_new_to_prometheus_is_no_traffic() -> None:
    scrapes = begun()
    assert given_out(scrapes, [[pod(Side.GREEN, 1, s200=MOST_REQUESTS + 1)]]) == []
    assert scrapes.absurd == (Side.GREEN, SINCE + 1, MOST_REQUESTS + 1)
    assert Scrapes.of(json.loads(json.dumps(scrapes.data()))).absurd == scrapes.absurd
    assert len(given_out(scrapes, [[pod(Side.GREEN, 16, s200=MOST_REQUESTS + 4)]])) == 3


def test_nothing_is_counted_while_no_series_has_the_label() -> None:
    scrapes = begun()
    bare = [Scrape(Side.BLUE, "a", SINCE + at, {"": float(at)}, {"+Inf": 0.0}) for at in (1, 16)]
    assert given_out(scrapes, [bare]) == []
    assert not scrapes.books[Side.BLUE].labelled
    more = Scrape(Side.BLUE, "a", SINCE + 31, {"": 17.0, "200": 2.0}, {"+Inf": 0.0})
    assert Counter(one.status for one in given_out(scrapes, [[more]])) == {0: 1, 200: 2}


def test_a_histogram_of_another_target_tells_the_latencies_all_the_same() -> None:
    scrapes = begun()
    counter = [Scrape(Side.BLUE, "a", SINCE + at, {"200": float(at)}, {}) for at in (1, 16, 31)]
    times = [Scrape(Side.BLUE, "b", SINCE + at, {}, {"0.1": 10.0 * at, "+Inf": 10.0 * at}) for at in (8, 23)]
    found = given_out(scrapes, [sorted([*counter, *times], key=lambda one: one.at)])
    assert [one.ms for one in found][:1] == [0.0], "nothing was known of the first one"
    assert all(0 < one.ms < 100 for one in found[1:])
    assert not scrapes.books[Side.BLUE].bare


def test_requests_without_any_bucket_are_counted_and_told() -> None:
    scrapes = begun()
    found = given_out(
        scrapes, [[Scrape(Side.BLUE, "a", SINCE + at, {"500": float(at)}, {}) for at in (1, 16)]]
    )
    assert [(one.status, one.ms) for one in found] == [(500, 0.0)] * 16
    assert scrapes.books[Side.BLUE].bare
    given_out(scrapes, [[pod(Side.BLUE, 31, name="a", s500=17)]])
    assert not scrapes.books[Side.BLUE].bare


def test_a_value_that_is_no_number_is_passed_over() -> None:
    scrapes = begun()
    track = Track("a", "200", ((SINCE + 1, 2.0), (SINCE + 16, math.nan), (SINCE + 31, 5.0)))
    scrapes.take({Side.BLUE: Look([track], [])})
    assert len(scrapes.due()) == 5
