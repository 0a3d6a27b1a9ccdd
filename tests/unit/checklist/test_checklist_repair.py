"""Text that was decoded wrongly once reads right again; healthy text is never touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.checklist import Form, read
from tminus.checklist.repair import broken, repaired

MEANT = [
    "## 📊 Monitoring Readiness",
    "## ✅ Final Sign-Off",
    "- [ ] déjà vu à la crème",
    "voilà",
    "mise à jour",
    "CRIAÇÃO ESTÁ PRONTO",
    "Für größere Straßen",
    "Número de teléfono",
    "≥ 99,9 %",
    "1 → 2",
    "it\u2019s “quoted” \u2013 and…",
    "☐ open ❌ wrong",
    "zażółć gęślą jaźń",
    "Проверка миграций",
    "日本語の確認",
    "± 5 °C",
    "Tél. Séverine",
    "PRODUCCIÓN, CONTRÔLE, ÜBERPRÜFUNG, PÃO",
]


@pytest.mark.parametrize("line", MEANT)
def test_a_double_encoded_line_reads_right(line: str) -> None:
    assert repaired(broken(line, 1)) == (line, 1)


def test_a_line_that_was_encoded_three_times_reads_right() -> None:
    assert repaired(broken("déjà vu ✅", 2)) == ("déjà vu ✅", 2)


@pytest.mark.parametrize(
    "line",
    [
        *MEANT,
        "IRMÃ…",
        "A IRMÃ” DISSE",
        "SUA IRMÃ\u00a0QUERIDA",
        "ROMÂ»",
        "CAFÉ™ and NESTLÉ®",
        "LIBERTÉ—ÉGALITÉ",
        "la valeur déclaré\u00a0» et",
        "GROß…",
        "hâlâ…",
        "NÃO, MAÇÃ E PÃO",
        "É…",
        "AHÅ™, the new sofa",
        "- ❌ **Caractères corrompus** (\ufffd, Ã©, âœ…) → Encodage",
        "Ã© and Ã\x93, which no repair could take back",
        "Ã",
        "",
        "plain",
    ],
)
def test_a_healthy_line_is_never_changed(line: str) -> None:
    assert repaired(line) == (line, 0)


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n")))
def test_a_repair_can_always_be_taken_back(line: str) -> None:
    meant, layers = repaired(line)
    assert broken(meant, layers) == line


def test_offsets_in_a_repaired_file_are_those_of_its_own_bytes() -> None:
    data = broken("## ✅ Über\n\n**Größe:** [Name] **Datum:** ____\n\n- ☐ naïve\n- [x] ça\n", 1).encode()
    found = read(data, also=frozenset({Form.BALLOT}))
    assert found.repaired == 4
    assert [blank.text for blank in found.blanks] == [
        data[blank.span.start : blank.span.end].decode() for blank in found.blanks
    ]
    assert [blank.label for blank in found.blanks] == ["Größe", "Datum"]
    assert [data[item.mark.start : item.mark.end] for item in found.items] == [broken("☐", 1).encode(), b"x"]
    assert [item.text for item in found.items] == ["naïve", "ça"]
    assert [data[: item.end].endswith(broken(item.text, 1).encode()) for item in found.items] == [True, True]


def test_a_double_encoded_byte_order_mark_hides_nothing() -> None:
    data = broken("\ufeff- [ ] ça\n", 1).encode()
    found = read(data)
    assert [item.text for item in found.items] == ["ça"]
    assert data[found.items[0].mark.start - 1 : found.items[0].mark.end + 1] == b"[ ]"
