"""Tokens and passwords of depot."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.depot.credentials import issue_token, matches, new_salt, read_token, salted_hash

SECRET = b"a secret for tests"


def test_a_token_names_its_user_until_it_expires() -> None:
    token = issue_token("ada", 1000, SECRET)
    assert read_token(token, 999, SECRET) == "ada"
    assert read_token(token, 1000, SECRET) is None


def test_a_token_signed_with_another_secret_is_forged() -> None:
    assert read_token(issue_token("ada", 1000, b"another secret"), 0, SECRET) is None


def test_claims_cannot_be_changed_under_the_signature() -> None:
    payload, _, signature = issue_token("ada", 1000, SECRET).partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "eve"}).encode()).decode().rstrip("=")
    assert read_token(f"{changed}.{signature}", 0, SECRET) is None


def test_every_changed_character_is_seen() -> None:
    token = issue_token("ada", 1000, SECRET)
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        assert read_token(token[:place] + other + token[place + 1 :], 0, SECRET) is None, place


@given(st.text())
def test_no_text_passes_for_a_token(text: str) -> None:
    assert read_token(text, 0, SECRET) is None


@pytest.mark.parametrize("name", ["ada", "Zoë", 'quo"te', "a.b"])
def test_any_name_comes_back(name: str) -> None:
    assert read_token(issue_token(name, 10, SECRET), 0, SECRET) == name


def test_a_password_matches_only_its_own_hash() -> None:
    salt = new_salt()
    stored = salted_hash("correct horse", salt)
    assert matches("correct horse", salt, stored)
    assert not matches("correct horsf", salt, stored)
    assert not matches("correct horse", new_salt(), stored)
