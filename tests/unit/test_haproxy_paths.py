"""Where HAProxy may have its socket, and how that is written."""

from pathlib import Path

import pytest

from tminus.errors import Exit, PartError
from tminus.haproxy import Proxy, render


def rendered(admin: str) -> str:
    text = render(Proxy(public_port=1, log_port=2, metrics_port=9, admin=Path(admin), blue_port=3))
    (line,) = [line for line in text.splitlines() if "stats socket" in line]
    return line.strip()


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("/tmp/plain", "/tmp/plain"),
        ("/tmp/a b", r"/tmp/a\ b"),
        ("/tmp/it's", r"/tmp/it\'s"),
        ('/tmp/"x"', r"/tmp/\"x\""),
        ("/tmp/a\\b#c", r"/tmp/a\\b\#c"),
    ],
)
def test_a_path_is_one_word_whatever_it_holds(folder: str, written: str) -> None:
    assert (
        rendered(f"{folder}/admin.sock")
        == f"stats socket {written}/admin.sock mode 600 level admin expose-fd listeners"
    )


@pytest.mark.parametrize("folder", ["/tmp/$HOME", "/tmp/a,b", "/tmp/a\nb", "/tmp/" + "x" * 90])
def test_a_path_that_haproxy_cannot_take_is_refused_with_what_to_do(folder: str) -> None:
    with pytest.raises(PartError, match="HAProxy cannot have its socket at") as refused:
        rendered(f"{folder}/admin.sock")
    assert refused.value.code is Exit.UNKNOWN
    assert "TMPDIR" in refused.value.hint
