"""What is wrong is said once, clearly, before anything starts."""

import socket
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from demos import Demo

from tminus.demo.images import build_releases
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import Missing, install
from tminus.errors import Exit, PartError

Begin = Callable[..., Awaitable[Demo]]


def one_clear_message(demo: Demo) -> str:
    said = [line for line in demo.lines if line.startswith("tminus: ")]
    assert len(said) == 1, demo.text
    assert "Traceback" not in demo.text
    assert "what to do: " in demo.text
    assert not any(line.startswith("T") and ":" in line[:10] for line in demo.lines), "a launch was opened"
    return demo.text


async def test_an_unknown_probe_is_named_with_its_line(start: Begin, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    text = (files("tminus.demo") / "demo.yaml").read_text()
    plan.write_text(text.replace("probe: depot.search", "probe: depot.serach"))
    demo = await start("--plan", str(plan))
    assert await demo.ends() == 2
    said = one_clear_message(demo)
    assert "depot.serach" in said
    assert "did you mean 'depot.search'" in said


async def test_a_digest_that_no_image_has_is_refused(start: Begin) -> None:
    demo = await start("--digest", f"sha256:{'0' * 64}")
    assert await demo.ends() == 2
    assert "0" * 64 in one_clear_message(demo)


async def test_one_flipped_byte_in_a_layer_stops_the_launch_before_anything_starts(
    start: Begin, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    build_releases(images)
    blobs = sorted((images / "blobs" / "sha256").iterdir(), key=lambda blob: blob.stat().st_size)
    largest = blobs[-1]
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    demo = await start("--images", str(images))
    assert await demo.ends() == 1
    assert largest.name in one_clear_message(demo)
    assert "stage " not in demo.text


async def test_a_port_in_use_is_named(start: Begin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = await start("--port", str(port))
        assert await demo.ends() == 4
    assert f"port {port} is in use" in one_clear_message(demo)


def test_a_package_that_cannot_be_installed_is_said_and_everything_is_put_back(tmp_path: Path) -> None:
    policy = Path("/usr/sbin/policy-rc.d")
    before = policy.read_bytes() if policy.exists() else None
    with pytest.raises(PartError, match="no-such-package-of-tminus") as refused:
        install(Missing(("no-such-package-of-tminus",)), ThisMachine(), tmp_path / "installation.json")
    assert refused.value.code is Exit.UNKNOWN
    assert refused.value.hint
    assert (policy.read_bytes() if policy.exists() else None) == before
    assert not (tmp_path / "installation.json").exists()
