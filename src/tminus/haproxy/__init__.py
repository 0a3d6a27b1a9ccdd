"""HAProxy: its configuration, its admin socket, and the log of every request that it served.

The local target divides traffic with it, and the guard sees users' requests through it. Tried with HAProxy 2.6.
"""

from tminus.haproxy.byhand import by_hand, read_back
from tminus.haproxy.configuration import (
    BACKEND,
    SECRET_VARIABLE,
    SLOWEST_ANSWER_SECONDS,
    Proxy,
    render,
)
from tminus.haproxy.desired import Desired, DesiredState, desired_state
from tminus.haproxy.lines import FramingError, Line, Numbers
from tminus.haproxy.listener import LogListener
from tminus.haproxy.reloading import (
    Start,
    finished,
    finishing,
    leave_state,
    next_socket,
    settle,
    state_file,
    take_over,
)
from tminus.haproxy.runtime import Runtime, ServerStatus, State, Weights

__all__ = [
    "BACKEND",
    "SECRET_VARIABLE",
    "SLOWEST_ANSWER_SECONDS",
    "Desired",
    "DesiredState",
    "FramingError",
    "Line",
    "LogListener",
    "Numbers",
    "Proxy",
    "Runtime",
    "ServerStatus",
    "Start",
    "State",
    "Weights",
    "by_hand",
    "desired_state",
    "finished",
    "finishing",
    "leave_state",
    "next_socket",
    "read_back",
    "render",
    "settle",
    "state_file",
    "take_over",
]
