"""`tminus launch --expedited` and `tminus expedite` as people type them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.test_words_and_poll import DIGEST, PEOPLE, done, events, polled, refused, typed
    from tests.unit.small_plan import REAL, SHORT_FORM
else:
    from small_plan import REAL, SHORT_FORM
    from test_words_and_poll import DIGEST, PEOPLE, done, events, polled, refused, typed

from tminus.cli.clock import now

WISH = ("--expedited", "--reason", "a token leaks", "--role", "devops", "--second", "qa")


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The words that open a launch of a plan with a short form; everybody has a key."""
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMINUS_PASSPHRASE", "correct horse battery")
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    (tmp_path / "plan.yaml").write_text(f"{REAL}{SHORT_FORM}decision: {{valid: 2h}}\n", encoding="utf-8")
    for role, person in PEOPLE.items():
        done("key", "new", person, "--role", role)
        done("trust", "add", person)
    when = (datetime.fromtimestamp(now(), UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    return (
        "launch",
        str(tmp_path / "plan.yaml"),
        "--release",
        f"depot={DIGEST}",
        "--t0",
        when,
        "--environment",
        "canary",
    )


def test_it_is_signed_at_its_opening_confirmed_by_the_second_and_shown_everywhere(
    launch: tuple[str, ...], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    said = done(*launch, *WISH)
    for words in ("a token leaks", "team.ready (required)", "T-02:00:00 comes at T-00:30:00", "--role qa"):
        assert words in said
    done(*launch, *WISH)
    assert [event.data["by"] for event in events(home, "launch.expedited")] == ["Dario Voss"]
    assert events(home)[0].data["omitted"] == [
        {"check": "bk.vault", "reason": "there is no Vault here"},
        {"check": "team.ready", "reason": "expedited: nobody is asked"},
        {"check": "all.ready", "reason": "expedited: nobody is asked"},
    ]
    waiting = json.loads(done("status", "canary", "--json"))
    assert waiting["expedited"].endswith("not yet confirmed by Quentin Mbeki")
    assert waiting["left_out"] == 3
    assert "the second person's word" in done("status", "canary")
    polled(home)
    assert "which Quentin Mbeki has not confirmed" in refused(
        "decide", "canary", "go", "--text", "well", "--yes"
    )
    assert "nothing was signed" in refused("expedite", "canary", "--role", "qa", answer="n\n")
    assert "has confirmed that" in done("expedite", "canary", "--role", "qa")
    signing = done("sign", "canary", "go", "--role", "qa")
    assert "expedited  a token leaks; asked for by Dario Voss" in signing
    assert "3 of 6 lines are not in this plan" in signing
    done("sign", "canary", "go", "--role", "devops", "--yes")
    assert "GO is decided" in done("decide", "canary", "go", "--text", "well", "--yes")
    shown = json.loads(done("status", "canary", "--json"))
    assert shown["expedited"].endswith("asked for by Dario Voss, confirmed by Quentin Mbeki")


def test_half_of_it_and_a_plan_without_a_short_form_are_refused_in_words(
    launch: tuple[str, ...], tmp_path: Path
) -> None:
    assert "needs --role and --second" in refused(*launch, "--expedited", "--reason", "a token leaks")
    assert "--reason is for an expedited launch" in refused(*launch, "--reason", "a token leaks")
    assert "'boss' is no role of this plan" in refused(*launch, *WISH[:-1], "boss")
    assert "cannot confirm what Dario Voss asks for" in refused(*launch, *WISH[:-1], "devops")
    (tmp_path / "plan.yaml").write_text(REAL, encoding="utf-8")
    assert "has no shorter form for a hotfix" in refused(*launch, *WISH)


def test_who_has_no_key_here_opens_nothing(launch: tuple[str, ...], tmp_path: Path) -> None:
    for key in (tmp_path / "home" / "keys" / "people").glob("dario-voss.*"):
        key.unlink()
    assert "this machine has no key of theirs" in refused(*launch, *WISH)
    assert "is no open launch" in f"{typed('status', 'canary').exception}"


def test_a_dry_run_shows_the_short_form_and_opens_nothing(launch: tuple[str, ...]) -> None:
    said = done(*launch, *WISH, "--dry-run")
    assert "expedited  a token leaks" in said
    assert "T-30min" in said
    assert "team.ready  " not in said.partition("T-30min")[2]
    assert json.loads(done(*launch, *WISH, "--dry-run", "--json"))["expedited"]["second"] == "Quentin Mbeki"


def test_only_an_expedited_launch_is_confirmed(launch: tuple[str, ...]) -> None:
    done(*launch)
    assert "takes the whole plan" in refused("expedite", "canary", "--role", "qa", "--yes")
