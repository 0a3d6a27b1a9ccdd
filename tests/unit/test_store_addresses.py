"""Addresses of the common database: read or refused, and never shown with a password."""

import pytest

from tminus.errors import UsageError
from tminus.store.tables import address, shown

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
