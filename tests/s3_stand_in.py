"""moto's server as a stand-in for S3, in a process of its own that ends with whoever started it.

It keeps buckets and objects, and can be told to ask whose keys these are. Run as a script it prints its port.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

KEY, SECRET = "AKIACANARYCANARY1234", "canary-secret-key-of-the-storage"


@dataclass(frozen=True)
class StandIn:
    """The server, and what its administrator can do."""

    url: str

    async def bucket(self) -> str:
        """A new bucket."""
        name = f"launches-{uuid4().hex[:12]}"
        async with self._client() as client:
            await client.create_bucket(Bucket=name)
        return name

    async def lay(self, bucket: str, key: str, content: bytes) -> None:
        """Put something under a key, whatever stands there."""
        async with self._client() as client:
            await client.put_object(Bucket=bucket, Key=key, Body=content)

    async def keys(self, bucket: str) -> list[str]:
        """What is in a bucket."""
        async with self._client() as client:
            return [row["Key"] for row in (await client.list_objects_v2(Bucket=bucket)).get("Contents", [])]

    @contextmanager
    def asking_who(self) -> Iterator[None]:
        """Within it, keys that nobody has given out are refused."""
        self._acts_before_it_asks(b"0")
        try:
            yield
        finally:
            self._acts_before_it_asks(b"inf")

    def _acts_before_it_asks(self, number: bytes) -> None:
        # As anything but a form, which the server would take apart.
        kind = {"Content-Type": "text/plain"}
        request = Request(f"{self.url}/moto-api/reset-auth", data=number, headers=kind, method="POST")
        with urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def _client(self) -> Any:
        from aiobotocore.session import get_session  # type: ignore[import-untyped] # noqa: PLC0415 - slow, and untyped

        return get_session().create_client("s3", endpoint_url=self.url)


def surroundings(patch: pytest.MonkeyPatch, url: str) -> None:
    """The environment of who uses a storage at this address, and nothing of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_REGION"):
        patch.delenv(name, raising=False)
    for name, value in variables(url).items():
        patch.setenv(name, value)


def variables(url: str) -> dict[str, str]:
    """The same, as variables."""
    return {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def running() -> Iterator[StandIn]:
    """The server, while it runs."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, "moto's server did not start"
            yield StandIn(f"http://127.0.0.1:{int(said)}")
        finally:
            process.kill()


def main() -> None:
    """Serve until standard input closes."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - only this process has it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    sys.stdout.write(f"{server.get_host_and_port()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
