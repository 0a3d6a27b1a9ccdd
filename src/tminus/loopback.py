"""Ports of the loopback address: which are free, and how a chosen one stays so until somebody listens there."""

import os
import secrets
import socket
import sys
from collections import deque
from collections.abc import Collection

from tminus.errors import PartError

PORTS = range(20_000, 32_000)
"""Where listening ports are chosen: below the ports that Linux (32768) and macOS (49152) lend to outgoing
connections, so that a port stays free for us while its part is down."""

# Bound sockets that keep the newest chosen ports from other processes that choose, as numbers: a socket object would
# complain at the end of the process that nobody closed it.
_promises: deque[int] = deque()
_PROMISES = 64


def free_port(taken: Collection[int] = ()) -> int:
    """A loopback port that nobody listens on; `taken` ones are promised to others already.

    On Linux no other process that calls this gets the newest 64 of them while this one lives, whoever is to listen
    there and however late it starts.
    """
    offset = secrets.randbelow(len(PORTS))
    for index in range(len(PORTS)):
        port = PORTS[(offset + index) % len(PORTS)]
        if port not in taken and not port_in_use(port) and _promise(port):
            return port
    raise PartError(
        f"no port between {PORTS.start} and {PORTS.stop} is free", hint="end something that listens there"
    )


def _promise(port: int) -> bool:
    """Keep a port for whoever is to listen there; false where another process has kept it first.

    Linux lets somebody listen on a port that is bound and not listened on, when both allow the address's reuse, as
    servers do; who binds without it, as here at first, is refused. Elsewhere the port would be lost to the listener.
    """
    if sys.platform != "linux":
        return True
    with socket.socket() as promise:
        try:
            promise.bind(("127.0.0.1", port))
        except OSError:
            return False
        promise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _promises.append(promise.detach())
    if len(_promises) > _PROMISES:
        os.close(_promises.popleft())
    return True


def port_in_use(port: int) -> bool:
    """Whether somebody holds this port on the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
