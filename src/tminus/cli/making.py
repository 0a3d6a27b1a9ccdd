"""`tminus make rules` and `tminus make routes`: what a checklist asks of alerting, for a team that lacks it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from tminus import planfile
from tminus.alerting import made_routes, made_rules
from tminus.alerting.figures import Names
from tminus.alerting.made_rules import OWN, SERIES, Line, Shape
from tminus.alerting.rules import wanted
from tminus.alerting.yamltree import seconds
from tminus.cli import making_options as options
from tminus.cli import outputs
from tminus.cli.clock import now
from tminus.cli.streams import told
from tminus.domain.plan import Check, Plan
from tminus.errors import UsageError

Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]

_PROBE = "prometheus.alert"
_SECRETS = "/etc/alertmanager/secrets"
_NAMES = ", ".join(SERIES)
_LEAST_WINDOW = 4.0
"""Seconds: four scrapes of a Prometheus that scrapes each second."""


def rules(  # noqa: PLR0913 - each is an option that a person may type
    plan: Annotated[
        str, typer.Argument(help="The plan whose lines about alerts are taken: a file, or the built-in one.")
    ] = "production",
    *,
    runbooks: Annotated[str, typer.Option(help="The address that the runbooks lie below.")],
    select: Annotated[
        list[str] | None,
        typer.Option(help=f"What a series is called, as NAME=SELECTOR; may be given again. Names: {_NAMES}."),
    ] = None,
    window: Annotated[
        str, typer.Option(help="Over which rates are taken; four scrapes at the least, and never below 4s.")
    ] = "1m",
    fewest: Annotated[
        float, typer.Option(min=0.0, help="Requests a second below which a share says nothing.")
    ] = 0.1,
    interval: Annotated[str, typer.Option(help="How often the rules are evaluated, such as 15s.")] = "",
    operator: Annotated[
        str, typer.Option(metavar="NAME", help="Make a PrometheusRule object of this name, for its operator.")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label of that object, as NAME=VALUE; may be given again."),
    ] = None,
    output: Output = None,
    force: Force = False,
) -> None:
    """Make the Prometheus rules of a plan's alerts.

    Each line of the plan about an alert becomes a rule with the line's own limit, severity and hold, which the line
    then passes; one more alert always fires, so that silence means something. Says on standard error which series have
    the reference setup's names or labels.
    """
    options.demand_address("--runbooks", runbooks, "https://wiki.example/runbooks")
    if "{{" in runbooks:
        raise UsageError(
            f"{runbooks!r} holds {{{{, which Prometheus takes for a template",
            hint="write the address that all runbooks lie below",
        )
    if _length("--window", window) < _LEAST_WINDOW:
        raise UsageError(
            f"--window {window} holds fewer than four scrapes, which come once a second at the most",
            hint="write four times your scrape interval: --window 1m",
        )
    options.demand_number("--fewest", fewest)
    if interval:
        _length("--interval", interval)
    labels = _labels(operator, label)
    loaded = planfile.load(plan, now=now())
    found = loaded.checked()
    given = _pairs("--select", select, SERIES)
    series = {**SERIES, **_of_the_plan(found), **given}
    made_rules.counted(series["buckets"])
    made = made_rules.rules(_lines(found), Shape(series, window, fewest), runbooks, interval)
    if operator:
        made = made_rules.as_object(made, operator, labels)
    _write(_as_text(made, f"rules {Path(plan).name}"), output, _read(plan), force=force)
    own = [name for name in OWN if series[name] == SERIES[name]]
    if own:
        typer.echo(
            f"these series have the reference setup's names or labels: {', '.join(own)}; give yours with --select",
            err=True,
        )


def routes(  # noqa: PLR0913 - each is an option that a person may type
    *,
    channel: Annotated[str, typer.Option(help="The Slack channel that is told of every alert.")],
    mail_to: Annotated[str, typer.Option(help="Who gets a mail of critical alerts.")],
    mail_from: Annotated[str, typer.Option(help="Whom those mails are from.")],
    smarthost: Annotated[str, typer.Option(help="The mail server, as host:port.")],
    pager_key_file: Annotated[
        str, typer.Option(help="Where Alertmanager reads PagerDuty's routing key.")
    ] = f"{_SECRETS}/pager-key",
    pager_url: Annotated[
        str, typer.Option(help="Where events are sent, if not to events.pagerduty.com.")
    ] = "",
    chat_url_file: Annotated[
        str, typer.Option(help="Where Alertmanager reads Slack's webhook.")
    ] = f"{_SECRETS}/chat-url",
    mail_user: Annotated[str, typer.Option(help="As whom it logs in at the mail server.")] = "",
    mail_password_file: Annotated[str, typer.Option(help="Where it reads the password for that.")] = "",
    mail_without_tls: Annotated[
        bool, typer.Option("--mail-without-tls", help="The mail server has no TLS, as a local one.")
    ] = False,
    output: Output = None,
    force: Force = False,
) -> None:
    """Make an Alertmanager configuration with a checklist's routes.

    Critical alerts page, tell the channel and send a mail; warnings tell the channel alone. It holds no secret:
    Alertmanager reads each from a file, which you lay there.
    """
    if bool(mail_user) != bool(mail_password_file):
        raise UsageError(
            "--mail-user and --mail-password-file belong together", hint="give both, or none of them"
        )
    options.demand_mail_server("--smarthost", smarthost)
    if not channel.strip():
        raise UsageError("--channel names no channel", hint="write --channel '#production-deployment'")
    for name, text in (("--mail-to", mail_to), ("--mail-from", mail_from)):
        if "@" not in text:
            raise UsageError(f"{name} {text!r} is no mail address", hint=f"write {name} on-call@example.org")
    if pager_url:
        options.demand_address("--pager-url", pager_url, "https://host/v2/enqueue")
    options.demand_path("--pager-key-file", pager_key_file, f"{_SECRETS}/pager-key")
    options.demand_path("--chat-url-file", chat_url_file, f"{_SECRETS}/chat-url")
    if mail_password_file:
        options.demand_path("--mail-password-file", mail_password_file, f"{_SECRETS}/mail")
    login = {"smtp_auth_username": mail_user, "smtp_auth_password_file": mail_password_file}
    mail = {
        "smtp_smarthost": smarthost,
        "smtp_from": mail_from,
        **(login if mail_user else {}),
        "smtp_require_tls": not mail_without_tls,
    }
    ways = made_routes.Ways(
        {**({"url": pager_url} if pager_url else {}), "routing_key_file": pager_key_file},
        {"api_url_file": chat_url_file},
        channel,
        mail,
        mail_to,
    )
    made = made_routes.config(ways, made_routes.Pace(), watched=True)
    _write(_as_text(made, "routes"), output, (), force=force)


def _lines(plan: Plan) -> list[Line]:
    found = [_line(check) for check in plan.checks if check.probe == _PROBE]
    if not found:
        raise UsageError(
            f"the plan {plan.name} has no line that looks at an alert",
            hint=f"give its lines `probe: {_PROBE}`",
        )
    return found


def _line(check: Check) -> Line:
    said = {"hold": "0s", "severity": "critical", **(check.arguments or {})}
    asked = wanted(*(str(said.get(name, "")) for name in ("measure", "above", "below", "hold", "severity")))
    return Line(check.id, asked, str(said.get("name", "")))


def _of_the_plan(plan: Plan) -> dict[str, str]:
    """What the plan's lines call the service's own figures."""
    series: dict[str, str] = {}
    for check in plan.checks:
        said = {name: str(value) for name, value in (check.arguments or {}).items()}
        if check.probe == "prometheus.errors" and said.get("counter"):
            names = Names.given(said["counter"], said.get("failed", ""))
            series |= {"requests": names.counter, "failed": names.failed_counter}
        if check.probe == "prometheus.p95" and said.get("histogram"):
            series["buckets"] = said["histogram"]
    return series


def _pairs(
    option: str, given: Iterable[str] | None, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {text!r} is no NAME=…", hint=f"write {option} NAME=…")
        if known is not None and name not in known:
            raise UsageError(f"{option} does not know {name}", hint=f"write one of {', '.join(known)}")
        found[name] = value
    return found


def _labels(operator: str, given: Iterable[str] | None) -> dict[str, str]:
    """The labels of the operator's object; raises `UsageError` for what the API would refuse."""
    labels = _pairs("--label", given)
    if labels and not operator:
        raise UsageError(
            "--label is of an object, and none is made", hint="name the object too: --operator NAME"
        )
    if operator:
        options.demand_object_name("--operator", operator)
    for name, value in labels.items():
        options.demand_label("--label", name, value)
    return labels


def _length(option: str, text: str) -> float:
    try:
        length = seconds(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint=f"write {option} 1m") from error
    if not length:
        raise UsageError(f"{option} {text} is no length of time", hint=f"write {option} 1m")
    return length


def _read(plan: str) -> tuple[Path, ...]:
    """The plan as a file that must not be written over; none for a built-in one."""
    return (Path(plan),) if Path(plan).exists() else ()


def _as_text(made: Mapping[str, Any], command: str) -> str:
    head = f"# Made by `tminus make {command}`; make it anew rather than change it by hand.\n"
    return head + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=110)


def _write(text: str, output: Path | None, read: Iterable[Path], *, force: bool) -> None:
    if output:
        outputs.write(output, text.encode(), tuple(read), force=force)
        return
    with told():
        typer.echo(text, nl=False)
