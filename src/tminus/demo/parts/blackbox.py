"""The blackbox exporter: asks the public name as a user would, from outside of everything that a launch changes."""

from tminus.demo.parts.place import Place, as_yaml
from tminus.demo.supervisor import AGAIN, Part

CLIENT = "blackbox"
"""How the proxy's log names its requests."""


def render() -> str:
    """The configuration file; its one module is asked for by Prometheus."""
    http = {
        "valid_status_codes": [200],
        "method": "GET",
        "headers": {"X-Client": CLIENT},
        "follow_redirects": False,
        "preferred_ip_protocol": "ip4",
    }
    return as_yaml({"modules": {"public": {"prober": "http", "timeout": "1s", "http": http}}})


def part(place: Place) -> Part:
    """How it is started."""

    async def prepare() -> None:
        place.write("blackbox.yml", render())

    async def ready() -> bool:
        return await place.answers("/-/healthy")

    command = [
        str(place.program),
        "--config.file=blackbox.yml",
        f"--web.listen-address={place.listen}",
        "--log.level=error",
    ]
    return Part(place.name, command, place.environment, answers=ready, prepare=prepare, restarts=AGAIN)
