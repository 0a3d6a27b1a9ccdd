"""The environment that depot reads."""

import re

import pytest

from tminus.depot.errors import ReleaseNotFoundError, SettingsError
from tminus.depot.faults import Faults
from tminus.depot.limits import Limit, Limits
from tminus.depot.release import installed_release, running_digest
from tminus.depot.settings import VARIABLES, Partner, Settings, read_database_url, read_settings, schema

GIVEN = {"DEPOT_DATABASE_URL": "postgresql://h/d", "DEPOT_TOKEN_SECRET": "sixteen letters!"}


def test_only_database_and_secret_are_required() -> None:
    assert read_settings(GIVEN) == Settings(
        database_url="postgresql://h/d",
        token_secret=b"sixteen letters!",
        token_seconds=300,
        upload_max_bytes=26214400,
        faults=Faults(),
        fault_token=None,
        fault_seed=None,
    )


def test_everything_can_be_set() -> None:
    settings = read_settings(
        {
            **GIVEN,
            "DEPOT_TOKEN_SECONDS": "5",
            "DEPOT_FAULTS": "crash=2",
            "DEPOT_FAULT_TOKEN": "t",
            "DEPOT_FAULT_SEED": "0",
        }
    )
    assert (settings.token_seconds, settings.fault_token, settings.fault_seed) == (5, "t", 0)
    assert settings.faults == Faults(crash=2)


def test_the_integrations_can_be_set() -> None:
    settings = read_settings(
        {
            **GIVEN,
            "DEPOT_REFRESH_SECONDS": "60",
            "DEPOT_REDIS_URL": "redis://h/0",
            "DEPOT_RATE_LIMITS": "*=600/60,probe=5/10",
            "DEPOT_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "DEPOT_WEBHOOK_URL": "https://partner.example/hook",
            "DEPOT_WEBHOOK_SECRET": "sixteen letters?",
            "DEPOT_HOOK_SECRET": "sixteen letters.",
            "DEPOT_WORKER_LOST_SECONDS": "2",
        }
    )
    assert (settings.refresh_seconds, settings.worker_lost_seconds) == (60, 2)
    assert settings.redis_url == "redis://h/0"
    assert settings.limits == Limits(Limit(600, 60), {"probe": Limit(5, 10)})
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert settings.partner == Partner("https://partner.example/hook", b"sixteen letters?")
    assert settings.hook_secret == b"sixteen letters."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DEPOT_REDIS_URL": "http://h"}, "DEPOT_REDIS_URL does not start with redis://"),
        ({"DEPOT_RATE_LIMITS": "*=600/60"}, "DEPOT_RATE_LIMITS needs DEPOT_REDIS_URL"),
        ({"DEPOT_RATE_LIMITS": "*=600"}, "DEPOT_RATE_LIMITS cannot be followed"),
        ({"DEPOT_CORS_ORIGINS": "*"}, "DEPOT_CORS_ORIGINS is no list of origins"),
        ({"DEPOT_CORS_ORIGINS": "https://a.example,null"}, "DEPOT_CORS_ORIGINS is no list of origins"),
        ({"DEPOT_WEBHOOK_URL": "https://h"}, "are set together"),
        ({"DEPOT_WEBHOOK_SECRET": "sixteen letters?"}, "are set together"),
        ({"DEPOT_HOOK_SECRET": "short"}, "DEPOT_HOOK_SECRET is shorter"),
        ({"DEPOT_WORKER_LOST_SECONDS": "0"}, "DEPOT_WORKER_LOST_SECONDS is not a whole number"),
    ],
)
def test_an_integration_that_cannot_work_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        read_settings({**GIVEN, **given})


def test_all_problems_are_told_together_and_no_value_is_repeated() -> None:
    wrong = {
        "DEPOT_DATABASE_URL": "mysql://hunter2",
        "DEPOT_TOKEN_SECRET": "hunter2",
        "DEPOT_TOKEN_SECONDS": "0",
        "DEPOT_UPLOAD_MAX_BYTES": "many",
        "DEPOT_FAULTS": "fire=1",
    }
    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)
    for name in wrong:
        assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"DEPOT_DATABASE_URL": ""}])
def test_a_database_is_required(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="DEPOT_DATABASE_URL is required"):
        read_database_url(environ)


def test_the_schema_lists_every_variable_with_type_and_secrecy() -> None:
    listed = schema()["variables"]
    assert isinstance(listed, list)
    assert [each["name"] for each in listed] == [variable.name for variable in VARIABLES]
    assert all({"name", "type", "required", "secret", "default", "about"} == set(each) for each in listed)
    secret = {each["name"] for each in listed if each["secret"]}
    assert secret == {
        "DEPOT_DATABASE_URL",
        "DEPOT_TOKEN_SECRET",
        "DEPOT_FAULT_TOKEN",
        "DEPOT_REDIS_URL",
        "DEPOT_WEBHOOK_SECRET",
        "DEPOT_HOOK_SECRET",
        "DEPOT_USER_PASSWORD",
    }


def test_the_repository_holds_several_releases_and_is_none_itself() -> None:
    with pytest.raises(ReleaseNotFoundError, match=r"v1.*v2"):
        installed_release()
    assert running_digest() is None
