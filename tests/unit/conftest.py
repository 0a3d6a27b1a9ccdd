"""Fixtures of the unit tests."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import record_builder as builder
else:
    import record_builder as builder

from tminus.domain.trust import TrustRoot


@pytest.fixture
def record() -> builder.RecordBuilder:
    """An empty record to be built."""
    return builder.RecordBuilder()


@pytest.fixture
def trust() -> TrustRoot:
    """The keys of those who sign in built records."""
    return builder.trust_root()
