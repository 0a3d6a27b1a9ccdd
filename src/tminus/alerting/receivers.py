"""Alertmanager's receivers: what each tells, and what keeps one from being loaded at all; and its block `global`.

Of an integration's own options only those are looked at without which it cannot tell anybody, and secrets that are
given twice. All others are Alertmanager's to judge: `amtool check-config` does.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from tminus.alerting.yamltree import Fault, FaultError, Fields, Scalar, as_fields, telling
from tminus.http import is_address

_CONFIGS = "_configs"
_FILE = "_file"
_GLOBAL = "global."

_NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "discord": (("webhook_url",),),
    "email": (("to",), ("from", "global.smtp_from"), ("smarthost", "global.smtp_smarthost")),
    "incidentio": (("url",),),
    "jira": (("project",), ("issue_type",)),
    "mattermost": (("webhook_url", "global.mattermost_webhook_url"),),
    "msteams": (("webhook_url",),),
    "msteamsv2": (("webhook_url",),),
    "opsgenie": (("api_key", "global.opsgenie_api_key"),),
    "pagerduty": (("routing_key", "service_key"),),
    "pushover": (("user_key",), ("token",)),
    "rocketchat": (("token", "global.rocketchat_token"), ("token_id", "global.rocketchat_token_id")),
    "slack": (("api_url", "app_token", "global.slack_api_url", "global.slack_app_token"),),
    "sns": (("topic_arn", "phone_number", "target_arn"),),
    "telegram": (("bot_token", "global.telegram_bot_token"), ("chat_id",)),
    "victorops": (("api_key", "global.victorops_api_key"), ("routing_key",)),
    "webex": (("room_id",),),
    "webhook": (("url",),),
    "wechat": (("api_secret", "global.wechat_api_secret"), ("corp_id", "global.wechat_api_corp_id")),
}
"""By integration: fields of each of which one is needed, by itself or as a file; `global.` stands for that block."""

_ADDRESSES = {
    *(f"{kind}_api_url" for kind in ("jira", "opsgenie", "rocketchat", "slack", "telegram", "victorops")),
    *("mattermost_webhook_url", "pagerduty_url", "slack_app_url", "webex_api_url", "wechat_api_url"),
}
_FLAGS = ("smtp_require_tls", "smtp_force_implicit_tls")
_BLOCKS = ("http_config", "smtp_tls_config")
_COMMON = {
    *(*_ADDRESSES, *_FLAGS, *_BLOCKS, "resolve_timeout", "slack_api_url_file", "mattermost_webhook_url_file"),
    *(f"smtp_{one}" for one in ("from", "hello", "smarthost", "auth_username", "auth_identity")),
    *(f"smtp_auth_{one}" for one in ("password", "password_file", "secret", "secret_file")),
    *(f"{kind}_api_key{file}" for kind in ("opsgenie", "victorops") for file in ("", _FILE)),
    *(f"rocketchat_token{one}{file}" for one in ("", "_id") for file in ("", _FILE)),
    *("slack_app_token", "slack_app_token_file", "telegram_bot_token", "telegram_bot_token_file"),
    *("wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id"),
}
"""The fields of `global` (`GlobalConfig` of prometheus/alertmanager)."""
_MAIL_SERVER = re.compile(r"(?:\[[^\[\]]*\]|[^\[\]:]*):[^:]+")
_HIDDEN = "<secret>"
"""What Alertmanager itself writes in the place of a secret address, and reads again."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read(config: Fields, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    """By receiver: what it tells, once for each entry, as `slack`; faults are told, and it goes on."""
    found: dict[str, tuple[str, ...]] = {}
    common = Fields(config.line)
    with telling(faults):
        common = config.mapped("global")
        faults += _twice(common, "global")
        _check(common, faults)
    nodes = []
    with telling(faults):
        nodes = config.listed("receivers")
    for node in nodes:
        with telling(faults):
            fields = as_fields(node, "a receiver")
            name = _name(fields, found)
            found[name] = ()
            found[name] = _integrations(fields, name, common, faults)
    return found


def _name(fields: Fields, known: Mapping[str, object]) -> str:
    name = fields.text("name")
    if not name:
        raise FaultError(fields.line, "a receiver has no name")
    if name in known:
        raise FaultError(fields.line_of("name"), f"there are two receivers {name}")
    return name


def _integrations(fields: Fields, name: str, common: Fields, faults: list[Fault]) -> tuple[str, ...]:
    found: list[str] = []
    for field, line in fields.lines.items():
        if field == "name":
            continue
        kind = field.removesuffix(_CONFIGS)
        if kind not in _NEEDS or kind == field:
            faults.append(Fault(line, f"{field} is no field of a receiver"))
        if kind == field:
            continue
        with telling(faults):
            for node in fields.listed(field):
                found.append(kind)
                about = f"{field} of {name}"
                with telling(faults):
                    entry = as_fields(node, f"an entry of {about}")
                    faults += _twice(entry, about)
                    faults += _lacking(kind, entry, common, about)
                    if kind == "email":
                        _mail_server(entry, "smarthost", about)
    return tuple(found)


def _check(common: Fields, faults: list[Fault]) -> None:
    """What is wrong with the block `global`; no address is repeated, since it may be a secret."""
    faults += [Fault(line, f"{name} is no field of global") for line, name in common.unknown(_COMMON)]
    with telling(faults):
        common.seconds("resolve_timeout")
    for name in _FLAGS:
        with telling(faults):
            common.flag(name)
    for name in _BLOCKS:
        with telling(faults):
            common.mapped(name)
    with telling(faults):
        _mail_server(common, "smtp_smarthost", "global")
    for name in sorted(_ADDRESSES & common.lines.keys()):
        with telling(faults):
            if common.get(name) is not None and not _is_address(common.text(name)):
                raise FaultError(common.line_of(name), f"{name} of global is no http or https address")


def _mail_server(fields: Fields, name: str, about: str) -> None:
    text = fields.text(name)
    if text and not _MAIL_SERVER.fullmatch(text):
        raise FaultError(fields.line_of(name), f"{name} of {about} is no host:port")


def _is_address(text: str) -> bool:
    """Whether Go reads this as an http or https address."""
    if text == _HIDDEN:
        return True
    if not is_address(text):
        return False
    parts = urlsplit(text)
    return " " not in parts.netloc and not _BAD_ESCAPE.search(parts.netloc + parts.path)


def _twice(fields: Fields, about: str) -> Iterator[Fault]:
    """Secrets that stand there both by themselves and as a file."""
    for name, line in fields.lines.items():
        if f"{name}{_FILE}" in fields.lines and _given(fields, name) and _given(fields, f"{name}{_FILE}"):
            yield Fault(line, f"{about} has both {name} and {name}{_FILE}")


def _lacking(kind: str, entry: Fields, common: Fields, about: str) -> Iterator[Fault]:
    for names in _NEEDS.get(kind, ()):
        places = [
            (common, one.removeprefix(_GLOBAL)) if one.startswith(_GLOBAL) else (entry, one) for one in names
        ]
        if not any(_given(where, one) or _given(where, f"{one}{_FILE}") for where, one in places):
            yield Fault(entry.line, f"an entry of {about} has no {' and no '.join(names)}")


def _given(fields: Fields, name: str) -> bool:
    found = fields.get(name)
    return found is not None and not (isinstance(found, Scalar) and not found.written)
