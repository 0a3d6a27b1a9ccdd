"""A stand-in for Slack: messages in by an incoming webhook, out as `conversations.history` shows them."""

from dataclasses import dataclass, field
from typing import Any

CHANNEL = "C0STANDIN"
"""The one channel, as an id."""
NAME = "production-deployment"
BOT = "B0STANDIN"


def problem(body: Any) -> str:
    """Slack's word for why it would refuse this message; empty when it would take it."""
    if not isinstance(body, dict):
        return "invalid_payload"
    attachments = body.get("attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        return "invalid_attachments"
    if not isinstance(body.get("text", ""), str):
        return "invalid_payload"
    if not (body.get("text") or attachments or body.get("blocks")):
        return "no_text"
    channel = str(body.get("channel") or NAME).removeprefix("#")
    return "" if channel in {NAME, CHANNEL} else "channel_not_found"


@dataclass(slots=True)
class Chat:
    """Every message of the channel, oldest first."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def take(self, body: dict[str, Any], at: float) -> None:
        """Show a message that has no problem; its `ts` is its name, and so never the same twice."""
        last = float(self.messages[-1]["ts"]) if self.messages else 0.0
        message = {
            "type": "message",
            "subtype": "bot_message",
            "text": body.get("text") or "",
            "ts": f"{max(at, last + 1e-6):.6f}",
            "username": body.get("username") or "incoming-webhook",
            "bot_id": BOT,
        }
        if attachments := body.get("attachments"):
            message["attachments"] = [{"id": number, **one} for number, one in enumerate(attachments, 1)]
        self.messages.append(message)

    def history(self, oldest: float, latest: float | None, limit: int) -> dict[str, Any]:
        """The newest messages between these instants, newest first, as `conversations.history` answers."""
        found = [
            message
            for message in reversed(self.messages)
            if float(message["ts"]) > oldest and (latest is None or float(message["ts"]) < latest)
        ]
        return {
            "ok": True,
            "messages": found[:limit],
            "has_more": len(found) > limit,
            "pin_count": 0,
            "channel_actions_ts": None,
            "channel_actions_count": 0,
        }

    def channel(self) -> dict[str, Any]:
        """The channel itself, as `conversations.info` answers."""
        about = {"id": CHANNEL, "name": NAME, "is_channel": True, "is_archived": False, "is_member": True}
        return {"ok": True, "channel": about}
