"""Where alerts and lines of logs arrive: the stand-ins for PagerDuty, Slack, a mailbox and Loki; the runbooks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from tminus.demo.parts.alertmanager import Sinks
from tminus.demo.parts.alerts import runbooks
from tminus.demo.parts.place import HOST, Place
from tminus.demo.supervisor import AGAIN, Part
from tminus.standins.chat import CHANNEL

RUNBOOKS = "runbooks.json"


def addresses(port: int, mail_port: int, secrets: Mapping[str, str]) -> Sinks:
    """What senders need."""
    base = f"http://{HOST}:{port}"
    return Sinks(
        pager=f"{base}/pager",
        chat=f"{base}/chat/services/{secrets['hook']}",
        mail_port=mail_port,
        routing_key=secrets["routing-key"],
    )


def paging(port: int, key: str) -> str:
    """Where the pager takes events, with the key of its integration: not for logs."""
    return f"http://{quote(key, safe='')}@{HOST}:{port}/pager/v2/enqueue"


def reading(port: int, token: str) -> dict[str, str]:
    """Where what arrived is read back, with the token that opens it: not for logs."""
    base = f"http://reader:{token}@{HOST}:{port}"
    channel = f"?channel={CHANNEL}"
    return {"pager": f"{base}/pager", "chat": f"{base}/chat/api{channel}", "mail": f"{base}/mail"}


def advisories(port: int) -> str:
    """Where advisories about packages are asked for."""
    return f"http://{HOST}:{port}/osv"


def gathering(port: int) -> str:
    """Where log lines are gathered."""
    return f"http://{HOST}:{port}/logs"


def gathered(port: int, token: str) -> str:
    """Where log lines are read, with the token that opens it: not for logs."""
    return f"loki+http://:{token}@{HOST}:{port}/logs"


def part(place: Place, mail_port: int, secrets: Mapping[str, str]) -> Part:
    """How it is started; what arrived before a kill is still known after it."""
    given = {
        "STANDINS_ROUTING_KEY": secrets["routing-key"],
        "STANDINS_HOOK": secrets["hook"],
        "STANDINS_TOKEN": secrets["reader"],
    }
    place = replace(place, environment={**place.environment, **given})

    async def prepare() -> None:
        place.write(RUNBOOKS, json.dumps(runbooks()))

    async def ready() -> bool:
        return await place.answers("/health")

    command = [str(place.program), "-P", "-m", "tminus.standins"]
    command += ["--http", str(place.port), "--smtp", str(mail_port), "--runbooks", RUNBOOKS]
    return Part(place.name, command, place.environment, answers=ready, prepare=prepare, restarts=AGAIN)
