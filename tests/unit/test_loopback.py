import os
import socket
import subprocess
import sys
from collections import deque

import pytest

from tminus import loopback
from tminus.errors import PartError


def test_a_port_somebody_listens_on_is_in_use() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert loopback.port_in_use(port)
    assert not loopback.port_in_use(port)


def test_a_free_port_is_neither_taken_nor_lent_to_outgoing_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loopback, "PORTS", range(20_000, 20_003))
    monkeypatch.setattr(loopback, "port_in_use", lambda port: port == 20_001)
    monkeypatch.setattr(loopback, "_promise", lambda _port: True)
    assert loopback.free_port(taken={20_000}) == 20_002
    with pytest.raises(PartError, match="no port between"):
        loopback.free_port(taken={20_000, 20_002})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a port that is not listened on")
def test_a_free_port_is_kept_from_other_processes_until_somebody_listens_there() -> None:
    port = loopback.free_port()
    other = f"from tminus import loopback; loopback.PORTS = range({port}, {port + 1}); loopback.free_port()"
    refused = subprocess.run(
        [sys.executable, "-c", other], check=False, capture_output=True, text=True, timeout=60
    )
    assert "no port between" in refused.stderr
    with socket.create_server(("127.0.0.1", port)) as listener:
        assert listener.getsockname()[1] == port


def test_only_the_newest_free_ports_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_promises", deque())
    monkeypatch.setattr(loopback, "_PROMISES", 2)
    for _ in range(3):
        loopback.free_port()
    assert len(loopback._promises) == (2 if sys.platform == "linux" else 0)
    for promise in loopback._promises:
        os.close(promise)
