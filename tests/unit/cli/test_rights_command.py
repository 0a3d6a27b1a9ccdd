"""`tminus make rights`: the roles that a cluster gives tminus, as objects that kubectl applies."""

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from tminus.cli.rights import rights
from tminus.errors import TminusError, UsageError
from tminus.kubernetes.rights import rights as rights_for

_RIGHTS = typer.Typer()
_RIGHTS.command()(rights)


def made(*words: str) -> Result:
    return CliRunner().invoke(_RIGHTS, [*words])


def objects(*words: str) -> list[dict[str, Any]]:
    result = made(*words)
    assert result.exit_code == 0, result.exception
    return [*yaml.safe_load_all(result.output)]


def test_they_are_the_very_ones_that_the_tests_of_the_checks_give() -> None:
    assert objects("shop") == rights_for("shop")


def test_secrets_and_stores_are_bound_to_the_names_that_are_given() -> None:
    found = objects("shop", "--secret", "db", "--secret", "api.tls", "--store", "vault")
    bound = {
        rule["resources"][0]: rule["resourceNames"]
        for one in found
        for rule in one.get("rules", ())
        if "resourceNames" in rule
    }
    assert bound == {"secrets": ["db", "api.tls"], "clustersecretstores": ["vault"]}


def test_nothing_is_written_but_a_dry_run() -> None:
    verbs = {
        (resource, verb)
        for one in objects("shop")
        for rule in one.get("rules", ())
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {(what, verb) for what, verb in verbs if verb not in {"get", "list"}} == {("configmaps", "patch")}


@pytest.mark.parametrize(
    "words",
    [
        ("Shop",),
        ("shop\nx",),
        ("",),
        ("a" * 64,),
        ("shop", "--secret", "*"),
        ("shop", "--secret", ""),
        ("shop", "--store", "a b"),
        ("shop", "--store", "a" * 254),
    ],
)
def test_what_the_api_takes_for_no_name_is_refused(words: tuple[str, ...]) -> None:
    error = made(*words).exception
    assert isinstance(error, UsageError)
    assert error.hint


def test_a_file_that_is_there_is_left(tmp_path: Path) -> None:
    path = tmp_path / "rights.yaml"
    assert made("shop", "-o", str(path)).exit_code == 0
    first = path.read_text()
    assert [*yaml.safe_load_all(first)] == rights_for("shop")
    assert isinstance(made("depot", "-o", str(path)).exception, TminusError)
    assert path.read_text() == first
    assert made("depot", "-o", str(path), "--force").exit_code == 0
    assert path.read_text() != first
