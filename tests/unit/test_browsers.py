"""What a browser makes of the answers to a page of another origin."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tminus.browsers import REFUSED, as_a_page, demand_path, foreign, kept_long, kept_out, let_in
from tminus.errors import InconclusiveError, TminusError, UnreachableError
from tminus.http import Answer, Http

APP = "https://app.example.org"


def answer(**headers: str) -> Answer:
    return with_status(204, **headers)


def with_status(status: int, /, **headers: str) -> Answer:
    return Answer(status, b"", {name.replace("_", "-"): value for name, value in headers.items()}, 1.0)


def allowing(origin: str = APP, **more: str) -> Answer:
    given = {
        "access_control_allow_origin": origin,
        "access_control_allow_methods": "GET, PUT",
        "access_control_allow_headers": "authorization, X-Own",
        "access_control_max_age": "600",
        "vary": "Accept, origin",
    }
    return answer(**{**given, **more})


def test_what_must_be_kept_out_resembles_what_is_let_in() -> None:
    assert list(foreign([APP, "http://app.example.org", "https://localhost:8443"])) == [
        "https://evil.example",
        "null",
        "https://app.example.org.evil.example",
        "https://not-app.example.org",
        "http://app.example.org.evil.example",
        "http://not-app.example.org",
        "http://localhost:8443",
        "https://localhost:8443.evil.example",
    ]


def test_a_page_that_may_do_what_was_planned_is_not_kept_out() -> None:
    answers = {"preflight PUT": allowing(), "GET": allowing()}
    assert list(kept_out(APP, answers, ["Authorization", "X-Own"])) == []
    assert list(kept_long(APP, answers)) == []


def test_simple_methods_need_no_permission_and_others_do() -> None:
    silent = allowing(access_control_allow_methods="")
    answers = {"preflight POST": silent, "preflight DELETE": silent}
    assert list(kept_out(APP, answers, [])) == [f"{APP} may not DELETE"]


def test_a_star_for_headers_does_not_mean_authorization() -> None:
    answers = {"preflight GET": allowing(access_control_allow_headers="*")}
    said = [f"{APP} may not send Authorization with GET"]
    assert list(kept_out(APP, answers, ["Authorization", "X-Other"])) == said


def test_a_star_for_origins_is_not_the_origins_name() -> None:
    answers = {"GET": allowing("*"), "preflight GET": with_status(403)}
    assert list(kept_out(APP, answers, [])) == [
        f"{APP} is not let in by its name: GET allows * (204)",
        f"{APP} is not let in by its name: preflight GET allows no origin (403){REFUSED[403]}",
    ]
    shared = allowing("*", access_control_allow_credentials="true")
    assert list(let_in("null", {"GET": shared, "preflight GET": shared})) == [
        "null is let in: GET allows * with credentials"
    ]


def test_a_preflight_is_kept_for_a_day_at_most() -> None:
    for age, words in (("86400", []), ("86401", ["for 86401 s"]), ("long", ["for long s"]), ("", ["has no"])):
        said = list(kept_long(APP, {"preflight GET": allowing(access_control_max_age=age), "GET": answer()}))
        assert len(said) == len(words)
        assert all(word in line for word, line in zip(words, said, strict=True))


def answering(statuses: Mapping[str, int]) -> Http:
    """A service that gives each method one status, and says when to come back."""

    async def ask(method: str, _path: str, **_about: Any) -> Answer:
        return with_status(statuses[method], retry_after="7")

    return cast("Http", SimpleNamespace(ask=ask))


@pytest.mark.parametrize(
    ("options", "get", "error", "words"),
    [
        (429, 200, UnreachableError, r"takes no more requests of us now \(429, Retry-After: 7\)"),
        (204, 429, UnreachableError, r"asked by GET for .*, takes no more requests of us now \(429"),
        (500, 200, InconclusiveError, "preflight PUT for .* is answered with 500"),
    ],
)
async def test_answers_that_say_nothing_of_origins_are_no_verdict(
    options: int, get: int, error: type[TminusError], words: str
) -> None:
    with pytest.raises(error, match=words):
        await as_a_page(answering({"OPTIONS": options, "GET": get}), "/shop", APP, ["PUT"], [])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            401,
            "a browser shows no login with a preflight; let OPTIONS be answered before a login is asked for",
        ),
        (403, "let OPTIONS be answered without a login, and allow this origin"),
        (404, "let the path answer OPTIONS too"),
    ],
)
def test_a_preflight_that_is_refused_keeps_out_in_words_that_name_the_status(status: int, words: str) -> None:
    (said,) = kept_out(APP, {"preflight PUT": with_status(status), "GET": allowing()}, [])
    assert f"preflight PUT allows no origin ({status}): " in said
    assert words in said


def test_a_path_that_is_there_for_nobody_says_nothing_of_origins() -> None:
    with pytest.raises(
        InconclusiveError, match="there is no /shop: each preflight and GET is answered with 404"
    ):
        demand_path("/shop", [404, 404, 404])


@pytest.mark.parametrize("statuses", [[200, 404], [404, 403], [204]])
def test_a_path_that_is_hidden_from_some_is_judged_by_origin(statuses: list[int]) -> None:
    demand_path("/shop", statuses)
