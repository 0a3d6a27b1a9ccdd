"""Stand-ins for the services that a page, a text, a chat message, a mail and a log line arrive at, and for advisories.

PagerDuty, Twilio, Slack, a mailbox, Loki, OSV.

One process on the loopback address, started as `python -m tminus.standins`. It takes what Alertmanager sends in these
services' own shapes, refuses what they would refuse, and lets it be read back. It is none of them, and says so in a
header of every answer and in every line that it keeps. It runs without tminus.
"""

STAND_IN = "a stand-in on this machine, shipped with tminus; nobody is woken by it"
"""What every answer and every kept line says of itself."""
