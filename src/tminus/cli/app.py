"""The `tminus` command: a table of commands, each loaded when it is typed, every deliberate error turned into words.

A new command is one line of `PANELS`. Its module is imported when somebody types it, so that no command pays for
the engine, the guard or the web of another.
"""

import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import tminus
from tminus.cli.streams import OutputError, give_up, prepare
from tminus.errors import Exit, TminusError


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command's function stands, and its line in the list of commands."""

    target: str
    """`package.module:function`."""
    help: str
    """The first line of the function's docstring, kept here so that a list of commands loads none of them."""

    def load(self) -> Callable[..., Any]:
        """The function; its module is imported now."""
        module, _, name = self.target.partition(":")
        found: Callable[..., Any] = getattr(import_module(module), name)
        if not gc.isenabled():  # `main` put it off
            gc.freeze()
            gc.enable()
        return found


GROUPS = {
    "plan": "Check plans, show them, print their schema.",
    "make": "Make what a checklist asks for and a team may lack.",
    "key": "Keys with which this machine's people sign.",
    "trust": "The trust root: whose keys count, for which roles.",
    "database": "The common database: its tables, its old launches.",
}
"""Commands of two words: the first word and what they have in common."""

PANELS: dict[str, dict[str, Command]] = {
    "Try": {
        "demo": Command(
            "tminus.cli.demo:demo", "Launch the reference service on this machine, start to end."
        ),
    },
    "Rehearse": {
        "rehearse": Command(
            "tminus.cli.rehearse:rehearse", "Make each trigger fire on staging, and time the way back."
        ),
    },
    "Plan": {
        "init": Command("tminus.cli.importing:init", "Write a first plan on top of the built-in one."),
        "import": Command(
            "tminus.cli.importing:import_", "Turn a checklist into a plan, and say what was understood."
        ),
        "plan check": Command("tminus.cli.plan:check", "Say what is wrong with a plan, and what is to fill."),
        "plan show": Command(
            "tminus.cli.plan:show", "List every line of a plan and all else it holds, by id."
        ),
        "plan schema": Command("tminus.cli.plan:schema", "Print the JSON Schema of plans, for editors."),
        "check": Command("tminus.cli.check:check", "Look at the systems now, and say how every line stands."),
        "probes": Command("tminus.cli.probes:probes", "Say what can be observed, and with which arguments."),
        "read": Command("tminus.cli.read:read", "Say what is in a file, as the checks themselves read it."),
        "make rules": Command("tminus.cli.making:rules", "Make the Prometheus rules of a plan's alerts."),
        "make routes": Command(
            "tminus.cli.making:routes",
            "Make an Alertmanager configuration with a checklist's routes.",
        ),
        "make dashboards": Command(
            "tminus.cli.dashboards:dashboards", "Make the dashboards that the plan asks for."
        ),
        "make rights": Command(
            "tminus.cli.rights:rights",
            "Make the Kubernetes roles that tminus needs to look at ConfigMaps and Secrets.",
        ),
        "confirm": Command(
            "tminus.cli.confirming:confirm", "Sign what a dashboard's figures mean, for one version."
        ),
    },
    "Launch": {
        "launch": Command("tminus.cli.launch:launch", "Open a launch of a plan, or print its schedule."),
        "worker": Command("tminus.cli.worker:worker", "Run the launches of the common database."),
        "status": Command("tminus.cli.status:status", "Say where a launch stands, once or with --watch."),
        "serve": Command(
            "tminus.cli.serve:serve", "Show every launch in a browser, and keep a worker running."
        ),
    },
    "Decide": {
        "attest": Command("tminus.cli.words:attest", "Give your word for a line that asks a person."),
        "waive": Command(
            "tminus.cli.words:waive", "Ask that a line may stand though not green, or approve it."
        ),
        "acknowledge": Command(
            "tminus.cli.words:acknowledge", "Say that you have seen a warned blocker, and why it may go."
        ),
        "delegate": Command("tminus.cli.words:delegate", "Name who acts for your role in this launch."),
        "expedite": Command(
            "tminus.cli.expedite:expedite", "Confirm, as the second person, the plan's shorter form."
        ),
        "sign": Command("tminus.cli.poll:sign", "Sign off for a role while the poll is open."),
        "decide": Command("tminus.cli.poll:decide", "Decide GO or NO-GO for a launch, signed with your key."),
    },
    "Orders": {
        "hold": Command("tminus.cli.orders:hold", "Stop the clock of a launch; the guard goes on."),
        "resume": Command("tminus.cli.orders:resume", "Let a held launch go on."),
        "reschedule": Command("tminus.cli.orders:reschedule", "Give a launch another T-0."),
        "scrub": Command("tminus.cli.orders:scrub", "Call a launch off before GO; that ends it."),
        "abort": Command(
            "tminus.cli.orders:abort", "Bring all traffic back to blue and end the launch as aborted."
        ),
        "rollback": Command(
            "tminus.cli.orders:rollback", "Bring all traffic back to blue and end it as rolled back."
        ),
        "report": Command(
            "tminus.cli.orders:report", "Say that a rollback trigger's condition holds; it fires at once."
        ),
    },
    "Prove": {
        "verify": Command(
            "tminus.cli.verify:verify", "Prove a launch record: chain, signatures, evidence and rules."
        ),
        "export": Command(
            "tminus.cli.exporting:export", "Hand a plan or a launch on as Markdown, a page, or JSON."
        ),
        "guard": Command(
            "tminus.cli.guard:guard", "Judge a recorded trace as the guard would have done live."
        ),
        "clearance": Command(
            "tminus.cli.clearance:clearance", "Give the signed clearance that other pipelines ask for."
        ),
        "admit": Command(
            "tminus.cli.clearance:admit", "Say whether a clearance admits these digests there now."
        ),
    },
    "Keep": {
        "doctor": Command("tminus.cli.doctor:doctor", "Say how the common database and its workers stand."),
        "database migrate": Command(
            "tminus.cli.database:migrate", "Bring the common database's tables to this tminus."
        ),
        "database prune": Command(
            "tminus.cli.database:prune", "Archive launches that are long over, and remove them."
        ),
        "key new": Command("tminus.cli.keys:new", "Make a key for a person on this machine."),
        "key list": Command(
            "tminus.cli.keys:list_", "List this machine's keys, and which the trust root holds."
        ),
        "trust add": Command("tminus.cli.trust:add", "Trust a person's key for its roles from now on."),
        "trust list": Command("tminus.cli.trust:list_", "List every key of the trust root."),
        "trust retire": Command(
            "tminus.cli.trust:retire_", "End the use of a key; what it signed before stays good."
        ),
    },
}
"""Every command by the words that are typed, in the order of `tminus --help`, which shows each panel under its title.

A new command is one line here. What it says of itself fits on a line of 80 columns.
"""
COMMANDS = {words: command for panel in PANELS.values() for words, command in panel.items()}
"""Every command by the words that are typed."""


_WIDEST = 120
"""Characters of a command's line: more than any has, so that none is cut; a test holds them to 80 columns."""
_LOOK: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


class Later(TyperCommand):
    """A command that is known by its line in the table, and loaded when it is typed."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(name, help=command.help)
        self._command = command

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Load the command; from here on it is the one that reads its arguments and runs."""
        single = typer.Typer(**_LOOK)
        single.command(self.name)(self._command.load())
        return typer.main.get_command(single).make_context(info_name, args, *rest, **extra)


class Table(TyperGroup):
    """A group whose commands are the lines of the table that begin with its word."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        prefix = f"{self.name} " if self.name in GROUPS else ""
        for words, command in COMMANDS.items():
            word = words.removeprefix(prefix)
            if words.startswith(prefix) and " " not in word:
                self.commands[word] = Later(word, command)

    def list_commands(self, ctx: Any) -> list[str]:
        """The words that may be typed next, in the order of the table."""
        del ctx
        if self.name in GROUPS:
            return list(self.commands)
        return list(dict.fromkeys(words.partition(" ")[0] for words in COMMANDS))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The words that may be typed next with a line about each, panel by panel; one column for all of them.

        Plain text: a drawn frame would have every start load what draws it.
        """
        words = self.list_commands(ctx)
        widest = max(map(len, words))
        panels = _by_panel(words) if self.name not in GROUPS else {"Commands": words}
        for title, members in panels.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (word.ljust(widest), self.commands[word].get_short_help_str(_WIDEST))
                        for word in members
                    ]
                )


def _by_panel(words: Iterable[str]) -> dict[str, list[str]]:
    """First words of commands by the panel that they stand in."""
    places = {typed.partition(" ")[0]: title for title, panel in PANELS.items() for typed in panel}
    panels: dict[str, list[str]] = {}
    for word in words:
        panels.setdefault(places[word], []).append(word)
    return panels


app = typer.Typer(
    cls=Table,
    no_args_is_help=True,
    help="Launch control for production deployments: a checklist that executes itself.",
    **_LOOK,
)
for _word, _about in GROUPS.items():
    _group = typer.Typer(cls=Table, no_args_is_help=True, help=_about, **_LOOK)
    _group.callback()(lambda: None)
    app.add_typer(_group, name=_word)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"tminus {tminus.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(asked=value), is_eager=True, help="Print it."
        ),
    ] = False,
) -> None:
    """Launch control for production deployments: a checklist that executes itself."""
    del version  # typer has acted on it


def run() -> None:
    """Run the command line; a deliberate error becomes one message and its exit code."""
    prepare()
    try:
        try:
            app(prog_name="tminus")
        finally:
            if sys.stdout:  # none where the shell has closed it
                sys.stdout.flush()
    except BrokenPipeError:
        give_up()
        sys.exit(int(Exit.FAILED))
    except TminusError as error:
        if isinstance(error, OutputError):
            give_up()
        from tminus.planfile.problem import printable  # noqa: PLC0415 - nobody pays for it without an error

        # It may quote what another person wrote, or a file.
        sys.stderr.write(printable(f"tminus: {error}\n  what to do: {error.hint}\n"))
        sys.exit(int(error.code))
