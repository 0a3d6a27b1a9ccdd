"""A demo before its stage is there."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tminus.demo import run
from tminus.demo.packages import Missing
from tminus.demo.screen import Screen
from tminus.errors import Exit, PartError


def test_without_anybody_who_agrees_nothing_is_installed_and_it_is_said_how_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "plan_installation", lambda *_, **__: Missing(("haproxy",)))
    monkeypatch.setattr(run, "install", lambda *_: pytest.fail("it was installed"))
    screen = Screen(Console(file=StringIO()), as_json=False)
    with pytest.raises(PartError, match="lacks haproxy, and nobody agreed to install it") as refused:
        run.have_packages(tmp_path, screen, lambda _: False)
    assert refused.value.code is Exit.UNKNOWN
    assert "--yes" in refused.value.hint
    assert "apt-get install" in refused.value.hint
