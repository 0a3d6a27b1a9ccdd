"""The descriptions of the supporting parts, before anything is started."""

from pathlib import Path

import pytest
import yaml

from tminus.demo import registry
from tminus.demo.parts import SUPPORTING, Setting, addresses, blackbox, redis, supporting
from tminus.demo.parts.place import Place
from tminus.demo.supervisor import AGAIN
from tminus.domain.traffic import Side

SECRETS = registry.new_secrets()
PORTS = {name: 20_000 + number for number, name in enumerate(registry.SUPPORT_PORTS)}
PROGRAMS = ("prometheus", "alertmanager", "blackbox_exporter", "node_exporter", "postgres_exporter",
            "redis_exporter", "redis_server")  # fmt: skip


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(
        folder=tmp_path,
        binaries={name: f"/usr/bin/{name}" for name in PROGRAMS},
        ports=PORTS,
        secrets=SECRETS,
        environment={"PATH": "/usr/bin"},
        public="http://127.0.0.1:1",
        sides={Side.BLUE: 2, Side.GREEN: 3},
        monitor="postgresql://monitor:hush@127.0.0.1:4/postgres",
        confirm=lambda sha256, by, text: {"sha256": sha256, "by": by, "text": text},
    )


def test_every_supporting_part_is_described_and_may_be_started_again(setting: Setting) -> None:
    parts = supporting(setting)
    assert tuple(parts) == SUPPORTING
    assert {part.restarts for part in parts.values()} == {AGAIN}


def test_no_secret_stands_among_the_arguments_that_everybody_can_read(setting: Setting) -> None:
    for part in supporting(setting).values():
        shown = f"{' '.join(part.command)} {part!r}"
        assert not any(secret in shown for secret in (*SECRETS.values(), "hush")), part.name


def test_each_part_listens_on_its_own_port_of_the_loopback_address(setting: Setting) -> None:
    for name, part in supporting(setting).items():
        told = " ".join(part.command) if name != "redis" else redis.render(PORTS[name], "x")
        assert str(PORTS[name]) in told, name
        assert "0.0.0.0" not in told


async def test_what_a_part_is_prepared_with_is_readable_by_its_owner_alone(setting: Setting) -> None:
    for name, part in supporting(setting).items():
        (setting.folder / name).mkdir()
        await part.prepare()
    written = [path for path in setting.folder.rglob("*") if path.is_file()]
    assert {path.name for path in written} == {
        "prometheus.yml",
        "alerts.yml",
        "alertmanager.yml",
        "blackbox.yml",
        "redis.conf",
        "runbooks.json",
        "sources.json",
        "confirmed.yaml",
        "application.json",
        "infrastructure.json",
        "security.json",
        "business.json",
    }
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


async def test_prometheus_scrapes_both_sides_by_name_and_the_public_address_from_outside(
    setting: Setting,
) -> None:
    (setting.folder / "prometheus").mkdir()
    await supporting(setting)["prometheus"].prepare()
    read = yaml.safe_load((setting.folder / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in read["scrape_configs"]}
    sides = {one["labels"]["side"]: one["targets"] for one in jobs["depot"]["static_configs"]}
    assert sides == {"blue": ["127.0.0.1:2"], "green": ["127.0.0.1:3"]}
    assert jobs["public"]["params"]["target"] == ["http://127.0.0.1:1/health"]
    assert (read["global"]["scrape_interval"], read["global"]["evaluation_interval"]) == ("1s", "1s")


def test_the_prober_is_known_by_its_name_in_the_proxy_s_log() -> None:
    module = yaml.safe_load(blackbox.render())["modules"]["public"]
    assert module["http"]["headers"] == {"X-Client": "blackbox"}


def test_each_part_that_a_plan_may_name_has_an_address(setting: Setting) -> None:
    assert {name.removeprefix("TMINUS_DEMO_") for name in addresses(setting)} == {
        "PROMETHEUS",
        "GRAFANA",
        "ALERTMANAGER",
        "REDIS",
        "PAGER",
        "CHAT",
        "MAIL",
        "ONCALL",
        "BLACKBOX",
        "OSV",
        "LOGS",
    }


async def test_a_part_that_nobody_started_does_not_answer(tmp_path: Path) -> None:
    nobody = Place(tmp_path, "prometheus", Path("/usr/bin/prometheus"), 1, {})
    assert not await nobody.answers("/-/ready")
    assert not await redis.answers(redis.address(1, "x"))
