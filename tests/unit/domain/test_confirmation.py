"""A signed word for what figures mean: whose it is, and when it counts."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import signer
else:
    from record_builder import signer

from tminus.domain.canonical import instant
from tminus.domain.confirmation import (
    Confirmation,
    Rules,
    confirmation_row,
    confirmation_statement,
    doubt,
    read_confirmation,
)
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.signing import open_envelope, sign_statement

WORD = Confirmation("ab" * 32, "Mara Lind", "paid orders", "2026-01-31T12:00:00.000Z")
MARA = TrustedKey(signer("Mara Lind").keyid, "Mara Lind", KeyKind.PERSON, ("product-owner",))
IVO = TrustedKey(signer("Ivo Kern").keyid, "Ivo Kern", KeyKind.PERSON, ("devops",))
TRUST = TrustRoot((MARA, IVO, TrustedKey(signer("server").keyid, "Mara Lind", KeyKind.SERVER)))


NOW = instant("2026-03-01T00:00:00.000Z")


def signed(word: Confirmation = WORD, by: str = "Mara Lind") -> Any:
    return sign_statement(signer(by), confirmation_statement(word))


def doubted(
    word: Confirmation, envelope: object, trust: TrustRoot = TRUST, *, production: bool = True
) -> str:
    return doubt(word, envelope, open_envelope, trust, Rules(production, NOW))


def test_what_its_person_has_signed_counts() -> None:
    assert doubted(WORD, signed()) == ""
    assert doubted(replace(WORD, by="mara  lind"), signed(replace(WORD, by="mara  lind"))) == ""


def test_an_entry_is_read_as_it_was_written() -> None:
    row = confirmation_row(WORD, signed())
    assert read_confirmation(row) == WORD
    assert doubted(read_confirmation({**row, "sha256": f"sha256:{'AB' * 32}"}), row["envelope"]) == ""


@pytest.mark.parametrize(
    ("word", "envelope", "why"),
    [
        (WORD, None, "nobody has signed it"),
        (WORD, "x", "its signature does not hold: there is no envelope"),
        (WORD, signed(by="Ivo Kern"), "it is signed with the key of Ivo Kern"),
        (WORD, signed(by="a stranger"), "which is nobody's of the trust root"),
        (WORD, signed(by="server"), "which is nobody's of the trust root"),
        (replace(WORD, text="all orders"), signed(), "other words were signed than stand there"),
        (replace(WORD, sha256="cd" * 32), signed(), "other words were signed than stand there"),
        (replace(WORD, by="Ivo Kern"), signed(by="Ivo Kern"), "other words were signed than stand there"),
        (replace(WORD, at="yesterday"), signed(), "its signature does not hold: 'yesterday' is no instant"),
    ],
)
def test_any_other_does_not(word: Confirmation, envelope: object, why: str) -> None:
    assert why in doubted(word, envelope)


def test_a_signature_that_was_changed_does_not_hold() -> None:
    envelope = signed()
    other = signed(replace(WORD, text="all orders"))
    assert "does not hold" in doubted(WORD, {**envelope, "signatures": other["signatures"]})


def test_a_key_counts_while_it_is_in_use() -> None:
    retired = TRUST.retired(MARA.keyid, "2026-01-31T11:59:59.000Z")
    assert "the key of Mara Lind did not count at" in doubted(WORD, signed(), retired)
    later = TRUST.retired(MARA.keyid, "2026-02-01T00:00:00.000Z")
    assert "is retired, and counts no more" in doubted(WORD, signed(), later)
    assert doubted(WORD, signed(), TRUST.retired(MARA.keyid, "2026-03-02T00:00:00.000Z")) == ""


def test_nobody_signs_tomorrow() -> None:
    word = replace(WORD, at="2026-03-01T00:02:00.000Z")
    assert "which is still to come" in doubted(word, signed(word))


@pytest.mark.parametrize("envelope", [{1: "x"}, {"payload": 1}, 5, []])
def test_an_odd_entry_is_one_doubt_and_no_error(envelope: object) -> None:
    assert "its signature does not hold" in doubted(WORD, envelope)
    assert "its signature does not hold" in doubted(replace(WORD, text="\ud800"), signed())


def test_a_simulated_person_s_word_counts_outside_production_alone() -> None:
    simulated = TrustRoot((replace(MARA, simulated=True),))
    assert doubted(WORD, signed(), simulated, production=False) == ""
    assert "Mara Lind is simulated" in doubted(WORD, signed(), simulated)
