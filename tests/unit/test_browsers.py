"""What a browser makes of the answers to a page of another origin."""

from tminus.browsers import foreign, kept_long, kept_out, let_in
from tminus.http import Answer

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
        f"{APP} is not let in by its name: preflight GET allows no origin (403)",
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
