"""A registry that lies, stalls, breaks off, leads elsewhere or is busy: nothing of it is believed or kept."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tminus import oci
from tminus.errors import (
    DeniedError,
    Exit,
    InconclusiveError,
    PlanError,
    ReleaseError,
    TminusError,
    UnreachableError,
)
from tminus.oci import ImageConfig, Repository, build_layout, pull, push, verify
from tminus.oci import remote as remote_module
from tminus.oci.layout import MANIFEST_TYPE, MAX_JSON_BYTES, blob_path

if TYPE_CHECKING:
    from tests.integration.fake_registry import Fake, fake, saying
else:
    from fake_registry import Fake, fake, saying

LAYERS = [{"app/a.py": b"print('a')\n" * 2000}, {"app/b.py": b"print('b')\n"}]
CONFIG = ImageConfig("1.0.0", ("python", "-m", "app"))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    build_layout(tmp_path / "built", "1.0.0", LAYERS, CONFIG)
    return tmp_path / "built"


@pytest.fixture
def digest(layout: Path) -> str:
    return oci.resolve(layout, "1.0.0")


@pytest.fixture
def a_layer(layout: Path, digest: str) -> str:
    """The digest of one of its layers."""
    return verify(layout, digest).layers[0].digest


@pytest.fixture
async def registry(layout: Path) -> AsyncIterator[Fake]:
    async with fake(layout) as running:
        yield running


def blobs_in(layout: Path) -> list[str]:
    """Everything that lies beside the blobs of a layout, temporary files too."""
    return sorted(path.name for path in (layout / "blobs" / "sha256").iterdir())


async def refused(
    registry: Fake, digest: str, into: Path, kind: type[TminusError], words: str
) -> TminusError:
    """Demand that a pull ends with this error, and that the layout holds no image and no half blob."""
    with pytest.raises(kind, match=words) as caught:
        await pull(registry.repository, digest, into)
    assert caught.value.hint
    assert oci.images(into) == {}
    assert [name for name in blobs_in(into) if name.startswith(".")] == []
    for name in blobs_in(into):
        assert (
            blob_path(into, f"sha256:{name}").read_bytes()
            == blob_path(registry.layout, f"sha256:{name}").read_bytes()
        )
    with pytest.raises(PlanError, match="no image"):
        verify(into, digest)
    return caught.value


async def test_an_image_is_pulled_whole_and_verifies(registry: Fake, digest: str, tmp_path: Path) -> None:
    pulled = await pull(registry.repository, digest, tmp_path / "into", "1.0.0")
    assert (pulled.fetched, pulled.kept) == (4, 0)
    assert oci.images(tmp_path / "into") == {"1.0.0": digest}
    assert verify(tmp_path / "into", digest) == verify(registry.layout, digest)


async def test_what_is_there_is_not_fetched_again_and_nothing_is_asked(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    await pull(registry.repository, digest, tmp_path / "into")
    registry.asked.clear()
    again = await pull(registry.repository, digest, tmp_path / "into")
    assert (again.fetched, again.kept, registry.asked) == (0, 4, [])


async def test_another_blob_under_the_digest_is_not_kept(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    honest = blob_path(registry.layout, a_layer).read_bytes()
    lie = bytes([honest[0] ^ 1]) + honest[1:]
    registry.instead[a_layer] = saying(200, lie, Docker_Content_Digest=a_layer)
    error = await refused(
        registry, digest, tmp_path / "into", ReleaseError, f"{a_layer} arrives with the digest"
    )
    assert error.code is Exit.FAILED


async def test_another_manifest_is_not_kept_whatever_the_registry_says_of_its_digest(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    lie = blob_path(registry.layout, digest).read_bytes() + b" "
    registry.instead[digest] = saying(200, lie, Content_Type=MANIFEST_TYPE, Docker_Content_Digest=digest)
    await refused(
        registry, digest, tmp_path / "into", ReleaseError, f"with the digest sha256:.* for {digest}"
    )
    assert registry.fetched() == [digest]


async def _endless(request: web.Request) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    try:
        while True:
            await reply.write(b"x" * 65536)
    except ConnectionError:
        return reply


async def test_an_endless_blob_is_read_to_its_size_and_no_further(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    registry.instead[a_layer] = _endless
    async with asyncio.timeout(20):
        await refused(registry, digest, tmp_path / "into", ReleaseError, "goes on after the .* bytes")


async def test_an_endless_manifest_is_read_to_its_limit_and_no_further(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    registry.instead[digest] = _endless
    async with asyncio.timeout(20):
        await refused(
            registry, digest, tmp_path / "into", ReleaseError, f"more than the {MAX_JSON_BYTES} bytes"
        )


async def test_a_blob_that_is_too_short_is_not_kept(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    honest = blob_path(registry.layout, a_layer).read_bytes()
    registry.instead[a_layer] = saying(200, honest[:-1])
    await refused(registry, digest, tmp_path / "into", ReleaseError, f"has {len(honest) - 1} bytes, expected")


async def test_a_blob_that_breaks_off_is_not_kept_and_a_later_try_may_succeed(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    honest = blob_path(registry.layout, a_layer).read_bytes()

    async def breaks_off(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": str(len(honest))})
        await reply.prepare(request)
        await reply.write(honest[:20])
        assert request.transport is not None
        request.transport.close()
        return reply

    registry.instead[a_layer] = breaks_off
    error = await refused(registry, digest, tmp_path / "into", UnreachableError, f"GET .*{a_layer}")
    assert error.code is Exit.UNKNOWN
    came = len(blobs_in(tmp_path / "into"))
    del registry.instead[a_layer]
    pulled = await pull(registry.repository, digest, tmp_path / "into")
    assert (pulled.fetched, pulled.kept) == (4 - came, came)
    assert verify(tmp_path / "into", digest).blobs == 4


async def test_a_blob_that_stands_still_is_given_up(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = asyncio.Event()

    async def stands_still(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "1000"})
        await reply.prepare(request)
        await gone.wait()
        return reply

    monkeypatch.setattr(remote_module, "IDLE_SECONDS", 0.2)
    registry.instead[a_layer] = stands_still
    try:
        async with asyncio.timeout(20):
            await refused(registry, digest, tmp_path / "into", UnreachableError, "GET .*imeout")
    finally:
        gone.set()


async def test_a_redirect_to_another_host_is_refused_and_that_host_is_not_asked(
    registry: Fake, layout: Path, digest: str, a_layer: str, tmp_path: Path
) -> None:
    async with fake(layout) as other:
        registry.instead[a_layer] = saying(307, Location=f"http://{other.host}/store/{a_layer}")
        words = f"redirects to http://{other.host}, which nobody planned"
        await refused(registry, digest, tmp_path / "into", ReleaseError, words)
        assert other.asked == []


async def test_a_redirect_to_a_host_that_was_planned_is_followed_and_what_comes_is_compared(
    registry: Fake, layout: Path, digest: str, a_layer: str, tmp_path: Path
) -> None:
    async with fake(layout) as store:
        registry.instead[a_layer] = saying(307, Location=f"http://{store.host}/store/{a_layer}")
        planned = replace(registry.repository, elsewhere=frozenset({store.host}))
        await pull(planned, digest, tmp_path / "into")
        assert verify(tmp_path / "into", digest).blobs == 4
        assert store.asked == [f"GET {a_layer}"]
        store.instead[a_layer] = saying(200, b"another")
        with pytest.raises(ReleaseError, match="has 7 bytes, expected"):
            await pull(planned, digest, tmp_path / "again")


@pytest.mark.parametrize(
    "location", ["http://[::1", "file:///etc/passwd", "//", "http://user:x@127.0.0.1:1/"]
)
async def test_a_redirect_to_what_is_no_address_is_refused(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path, location: str
) -> None:
    registry.instead[a_layer] = saying(302, Location=location)
    error = await refused(registry, digest, tmp_path / "into", ReleaseError, "redirects")
    assert "user:x" not in str(error)


async def test_a_redirect_within_the_registry_is_followed_but_not_for_ever(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    honest = blob_path(registry.layout, a_layer).read_bytes()
    registry.instead[a_layer] = saying(302, Location="/elsewhere/here")
    registry.instead["here"] = saying(200, honest)
    await pull(registry.repository, digest, tmp_path / "into")
    registry.instead["here"] = saying(302, Location="/elsewhere/here")
    await refused(registry, digest, tmp_path / "again", ReleaseError, "redirects more than 3 times")


async def test_a_busy_registry_gets_the_patience_that_it_asks_for(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            del registry.instead[digest]

    registry.instead[digest] = saying(429, Retry_After="7")
    await pull(replace(registry.repository, pause=pause), digest, tmp_path / "into")
    assert waited == [7.0, 7.0]
    assert verify(tmp_path / "into", digest).blobs == 4


@pytest.mark.parametrize(("later", "waits"), [("1", [1.0, 1.0]), ("3600", []), ("", []), ("soon", [])])
async def test_a_registry_that_stays_busy_is_an_error_that_says_when_to_come_again(
    registry: Fake, digest: str, tmp_path: Path, later: str, waits: list[float]
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    registry.instead[digest] = saying(429, Retry_After=later) if later else saying(429)
    with pytest.raises(UnreachableError, match=f"is put off \\(429.*{later}") as caught:
        await pull(replace(registry.repository, pause=pause), digest, tmp_path / "into")
    assert waited == waits
    assert "later" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, DeniedError, r"is denied \(401\)"),
        (403, DeniedError, r"is denied \(403\)"),
        (500, UnreachableError, r"fails \(500\)"),
        (502, UnreachableError, r"fails \(502\)"),
        (418, InconclusiveError, "answers 418 when asked for a blob"),
        (404, ReleaseError, "is missing: the image needs it"),
    ],
)
async def test_an_answer_that_is_no_blob_is_named_for_what_it_is(
    registry: Fake,
    digest: str,
    a_layer: str,
    tmp_path: Path,
    status: int,
    kind: type[TminusError],
    words: str,
) -> None:
    registry.instead[a_layer] = saying(status, b"x" * 20)
    await refused(registry, digest, tmp_path / "into", kind, words)


async def test_an_image_that_is_not_there_is_a_wrong_digest(registry: Fake, tmp_path: Path) -> None:
    absent = f"sha256:{'0' * 64}"
    error = await refused(
        registry, absent, tmp_path / "into", PlanError, f"no image with the digest {absent}"
    )
    assert error.code is Exit.USAGE


async def test_a_blob_that_was_altered_on_this_side_is_an_error_and_not_fetched_over(
    registry: Fake, digest: str, a_layer: str, tmp_path: Path
) -> None:
    await pull(registry.repository, digest, tmp_path / "into")
    file = blob_path(tmp_path / "into", a_layer)
    for name in (a_layer, digest):
        file = blob_path(tmp_path / "into", name)
        honest = file.read_bytes()
        file.write_bytes(honest[:-1] + b"!")
        with pytest.raises(ReleaseError, match=name.removeprefix("sha256:")):
            await pull(registry.repository, digest, tmp_path / "into")
        assert file.read_bytes() == honest[:-1] + b"!"
        file.write_bytes(honest)


async def test_two_pulls_into_one_layout_take_turns(registry: Fake, digest: str, tmp_path: Path) -> None:
    both = await asyncio.gather(*(pull(registry.repository, digest, tmp_path / "into") for _ in range(2)))
    assert sorted(pulled.fetched for pulled in both) == [0, 4]
    assert len(registry.fetched()) == 4


async def test_what_a_killed_pull_left_half_done_is_cleared_away(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    left = tmp_path / "into" / "blobs" / "sha256" / ".pulling-of-one-that-was-killed"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    await pull(registry.repository, digest, tmp_path / "into")
    assert not left.exists()
    assert len(blobs_in(tmp_path / "into")) == 4


_PULL = """
import asyncio, sys
from pathlib import Path
from tminus.oci import Repository, pull
asyncio.run(pull(Repository.at(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
"""


async def test_after_a_kill_in_the_middle_the_next_pull_fetches_only_what_is_missing(
    registry: Fake, digest: str, tmp_path: Path
) -> None:
    last = verify(registry.layout, digest).layers[-1].digest
    begun, gone = asyncio.Event(), asyncio.Event()

    async def half(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(blob_path(registry.layout, last).read_bytes()[:20])
        begun.set()
        await gone.wait()
        return reply

    registry.instead[last] = half
    address, into = f"http://{registry.host}/depot", tmp_path / "into"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _PULL, address, digest, str(into))
    try:
        async with asyncio.timeout(60):
            await begun.wait()
    finally:
        child.kill()
        await child.wait()
        gone.set()
    assert oci.images(into) == {}
    registry.asked.clear()
    del registry.instead[last]
    pulled = await pull(registry.repository, digest, into)
    assert registry.fetched() == [digest, last]
    assert (pulled.fetched, pulled.kept) == (2, 2)
    assert verify(into, digest).blobs == 4
    assert [name for name in blobs_in(into) if name.startswith(".")] == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "registry.example.org/depot",
        "http://127.0.0.1:1",
        "http://h/UPPER",
        "http://h/a/../b",
        "ftp://h/depot",
    ],
)
def test_an_address_that_names_no_repository_is_refused(address: str) -> None:
    with pytest.raises(PlanError, match="names no repository") as caught:
        Repository.at(address)
    assert "path" in caught.value.hint


def test_a_login_in_an_address_is_never_shown() -> None:
    repository = Repository.at("https://user:secret@registry.example.org/team/depot")
    assert repository.shown == "https://registry.example.org/team/depot"
    assert "secret" not in repr(repository)


async def test_an_altered_image_is_not_pushed(
    registry: Fake, layout: Path, digest: str, a_layer: str
) -> None:
    blob_path(layout, a_layer).write_bytes(b"altered")
    with pytest.raises(ReleaseError, match="has the digest"):
        await push(registry.repository, layout, digest)
    assert registry.asked == []


async def test_an_upload_that_is_led_to_another_host_is_refused(
    registry: Fake, layout: Path, digest: str, a_layer: str
) -> None:
    async with fake(layout) as other:
        registry.instead[a_layer] = saying(404)
        registry.instead[""] = saying(202, Location=f"http://{other.host}/upload/1")
        with pytest.raises(ReleaseError, match=f"redirects to http://{other.host}"):
            await push(registry.repository, layout, digest)
        assert other.asked == []


async def test_a_registry_that_holds_another_blob_under_the_digest_is_not_built_upon(
    registry: Fake, layout: Path, digest: str, a_layer: str
) -> None:
    registry.instead[a_layer] = saying(200, b"short")
    with pytest.raises(ReleaseError, match=f"{a_layer} has 5 bytes, expected"):
        await push(registry.repository, layout, digest)


@pytest.mark.parametrize("length", ["", "9" * 5000, "-1"])
async def test_a_size_that_is_none_proves_nothing(
    registry: Fake, layout: Path, digest: str, a_layer: str, length: str
) -> None:
    async def sizeless(_request: web.Request) -> web.StreamResponse:
        return web.StreamResponse(headers={"Content-Length": length} if length else {})

    registry.instead[a_layer] = sizeless
    with pytest.raises((InconclusiveError, UnreachableError)) as caught:
        await push(registry.repository, layout, digest)
    assert caught.value.hint


async def test_a_registry_that_answers_another_manifest_than_it_was_given_is_found_out(
    registry: Fake, layout: Path, digest: str
) -> None:
    async def takes_and_alters(request: web.Request) -> web.Response:
        if request.method == "PUT":
            return web.Response(status=201, headers={"Docker-Content-Digest": digest})
        return web.Response(body=b"{}", content_type=MANIFEST_TYPE)

    registry.instead[digest] = takes_and_alters
    with pytest.raises(ReleaseError, match="answers another manifest"):
        await push(registry.repository, layout, digest)


async def test_a_name_that_is_no_tag_is_refused_before_anything_is_sent(
    registry: Fake, layout: Path, digest: str
) -> None:
    with pytest.raises(PlanError, match="is no tag"):
        await push(registry.repository, layout, digest, ["../../catalog"])
    assert registry.asked == []
