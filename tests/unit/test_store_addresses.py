"""Addresses of the common database: read or refused, never shown with a password; and what a connection asks for."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tminus.engine.durable import DurableEngine
from tminus.errors import UsageError
from tminus.store.tables import BUSY_SECONDS, KEEPER_SECONDS, address, connect, patience, shown
from tminus.testing import FakeClock

SECRET = "S3CRET"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://bob:{SECRET}@127.0.0.1:5432/x",
        f"postgresql+psycopg://127.0.0.1/x?user=bob&password={SECRET}",
        f"postgresql://127.0.0.1/x?sslpassword={SECRET}&password={SECRET}",
    ],
)
def test_a_password_is_never_shown_wherever_it_stands(url: str) -> None:
    assert SECRET in address(url)
    assert SECRET not in shown(url)
    assert "127.0.0.1" in shown(url)


@pytest.mark.parametrize("url", ["postgresql://bob:x@127.0.0.1:notaport/x", "no address"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        address(url)


def test_a_password_with_an_at_sign_is_refused_before_half_of_it_is_shown() -> None:
    with pytest.raises(UsageError, match="more than one @") as refused:
        address(f"postgresql://bob:{SECRET[:3]}@{SECRET[3:]}@127.0.0.1/x")
    assert SECRET[3:] not in str(refused.value)
    assert "%40" in refused.value.hint


@pytest.mark.parametrize(("keeper", "seconds"), [(False, BUSY_SECONDS), (True, KEEPER_SECONDS)])
def test_a_machine_that_is_gone_without_a_word_is_noticed_by_who_waits_for_it(
    *, keeper: bool, seconds: int
) -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/none", keeper=keeper)
    asked: dict[str, Any] = {}

    def keep(*given: Any) -> None:
        asked.update(given[3])
        raise InterruptedError

    event.listen(engine, "do_connect", keep)
    with pytest.raises(InterruptedError):
        engine.connect()
    assert (asked["connect_timeout"], asked["tcp_user_timeout"]) == (seconds, seconds * 1000)
    again = asked["keepalives_idle"] + (asked["keepalives_count"] - 1) * asked["keepalives_interval"]
    assert asked["keepalives_idle"] < seconds, "or the kernel gives up by the first question that is lost"
    assert again <= max(seconds, 3)


def test_the_engine_s_own_connections_wait_no_longer(tmp_path: Path) -> None:
    for url, wanted in (
        (
            "postgresql://nobody@127.0.0.1:1/none",
            {"connect_args": {"application_name": "tminus", **patience()}},
        ),
        (f"sqlite:///{tmp_path / 'db'}", None),
    ):
        engine = DurableEngine(url, {}, FakeClock())
        assert engine._config().get("db_engine_kwargs") == wanted
