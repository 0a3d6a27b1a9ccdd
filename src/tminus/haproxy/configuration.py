"""The configuration text of HAProxy; pure, the stage writes and starts it.

Reference of every keyword: HAProxy Configuration Manual, version 2.6.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tminus.errors import PartError

BACKEND = "app"
"""The name of the one backend, with the servers `blue` and `green`."""
FRONTEND = "public"
"""The name of the one frontend where users come in."""
SLOWEST_ANSWER_SECONDS = 9.1
"""The longest that a request can take before HAProxy gives its own answer: 7 s for the server, 4 tries of 0.3 s to
connect, and 3 pauses of 0.3 s between them. Log lines arrive in order of answers, so one may be this late."""

LONGEST_PATH = 97
"""Bytes of a socket's path that HAProxy takes; the kernel's 108 less what it appends while it binds."""
_UNUSABLE = "$,"
"""What HAProxy reads in an address even when it is quoted: a variable, and the next address."""

SECRET_VARIABLE = "TMINUS_LOG_SECRET"  # noqa: S105 - the name of a variable
"""Where HAProxy finds the secret of its log: so neither its configuration nor what it says about that holds it."""

NO_SERVER = 1
"""The port of a side that does not exist yet; nothing listens there, and the side is in maintenance."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy listens, and where both sides are when it starts."""

    public_port: int
    """Where users come in, on the loopback address."""
    log_port: int
    """Where tminus listens for log lines; fixed, so that they find a restarted tminus."""
    metrics_port: int
    """Where its figures are read by Prometheus, on the loopback address; not among users."""
    admin: Path
    """The socket of the Runtime API, for its owner only."""
    blue_port: int | None
    """Where blue listens, if it runs."""
    green_port: int | None = None
    """Where green listens, if it runs."""
    percent: int = 0
    """Green's share of new requests at the start."""
    generation: int = 1
    """How often this stage has started HAProxy: its own count begins again at 1 each time."""
    state: Path | None = None
    """Where the HAProxy before it has left how its servers stand; nothing for one that takes nobody's place."""


# The secret comes first, so that also a line that was cut off tells whether it is ours.
# `%[json]` keeps a hostile header from breaking the line. The count is `gpc0` of one table entry, raised under a lock:
# `%rt` would do if the Runtime API did not count its own commands with it. `up` is how both sides stand, because
# a side that could not be reached has failed only if the other one could be.
_LOG_FORMAT = (
    '{"k":"%[env($secret)]","g":$generation,"n":"%[var(txn.number)]","s":"%s","st":%ST,"ms":%Ta,"ts":"%ts",'
    '"accepted":%Ts.%ms,"done":%[date(0,ms)],"client":"%[capture.req.hdr(0),json(utf8s)]","from":"%ci:%cp",'
    '"method":"%HM","tries":"%rc","up":[%[srv_is_up($backend/blue)],%[srv_is_up($backend/green)]]}'
)

# noreuseport: two stages with one port must collide, not share it.
# httpclose: where a connection is kept and the server ends without an answer, HAProxy closes it and logs nothing,
#   unless the request was the first on it: a failure that nobody would see. Neither is there an idle connection that
#   a server may close at the moment it is used again, and a drained server is at zero sessions at once.
# http-ignore-probes, dontlognull: browsers open connections ahead of need; one that is never used is no failed request.
# retry-on conn-failure: only what never reached a server is tried again, on the other server at once; retrying
#   answers would hide faults from the guard.
# expose-fd: whoever takes its place gets the sockets that it listens on, so that no user is refused meanwhile.
# timeout check: twice the usual, because an ejected green counts as failed and a busy laptop is not a fault.
# ring: HAProxy keeps lines while tminus is away: 16 MB are about 80,000 requests.
_TEMPLATE = Template(
    """\
global
    nbthread 2
    maxconn 2000
    noreuseport
    stats socket $admin mode 600 level admin expose-fd listeners
    stats timeout 10s
    $state
    log ring@lines format raw local0

defaults
    mode http
    timeout connect 300ms
    timeout queue 1s
    timeout client 10s
    timeout http-request 5s
    timeout server 7s
    timeout check 2s
    option httpclose
    option http-ignore-probes
    option dontlognull
    retries 3
    option redispatch 1
    retry-on conn-failure
    load-server-state-from-file $from_state

ring lines
    format raw
    maxlen 2048
    size 16777216
    timeout connect 1s
    timeout server 24h
    server tminus 127.0.0.1:$log_port log-proto octet-count

backend numbers
    stick-table type integer size 16 store gpc0

frontend $frontend
    bind 127.0.0.1:$public_port
    log global
    option forwardfor
    declare capture request len 64
    http-request capture req.hdr(X-Client) id 0
    http-request track-sc0 int(1) table numbers
    http-request set-var(txn.number) sc0_inc_gpc0
    log-format '$log_format'
    default_backend $backend

frontend metrics
    bind 127.0.0.1:$metrics_port
    http-request use-service prometheus-exporter if { path /metrics }
    http-request return status 404

backend $backend
    balance roundrobin
    option httpchk GET /health
    http-check expect status 200
    default-server check inter 500ms fall 2 rise 1
    $blue
    $green
"""
)


def render(proxy: Proxy) -> str:
    """The configuration of one start of HAProxy; raises `PartError` for a path that it cannot take."""
    log_format = Template(_LOG_FORMAT).substitute(
        secret=SECRET_VARIABLE, generation=proxy.generation, backend=BACKEND
    )
    return _TEMPLATE.substitute(
        admin=_quoted(proxy.admin),
        state="" if proxy.state is None else f"server-state-file {_quoted(proxy.state)}",
        from_state="none" if proxy.state is None else "global",
        log_port=proxy.log_port,
        public_port=proxy.public_port,
        metrics_port=proxy.metrics_port,
        frontend=FRONTEND,
        backend=BACKEND,
        log_format=log_format,
        blue=_server("blue", proxy.blue_port, 100 - proxy.percent),
        green=_server("green", proxy.green_port, proxy.percent),
    )


def _quoted(path: Path) -> str:
    """A path as one word (section 2.2 of the manual)."""
    text = str(path)
    if len(os.fsencode(text)) > LONGEST_PATH or not text.isprintable() or set(text) & set(_UNUSABLE):
        raise PartError(
            f"HAProxy cannot have its socket at {text!r}: more than {LONGEST_PATH} bytes, or a character among $ and ,",
            hint="set TMPDIR to a folder with a short and plain name, such as /tmp",
        )
    return "".join(f"\\{letter}" if letter in " \"'\\#" else letter for letter in text)


def _server(name: str, port: int | None, weight: int) -> str:
    if port is None:
        return f"server {name} 127.0.0.1:{NO_SERVER} weight {weight} disabled"
    return f"server {name} 127.0.0.1:{port} weight {weight}"
