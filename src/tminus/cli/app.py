"""The `tminus` command: a table of commands, each loaded when it is typed, every deliberate error turned into words.

A new command is one line of `COMMANDS`. Its module is imported when somebody types it, so that no command pays for
the engine, the guard or the web of another.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import tminus
from tminus.errors import TminusError


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
    "plan": "Plans: check and show them, print their schema.",
    "key": "Keys with which this machine's people sign.",
    "trust": "The trust root: whose keys count, for which roles, since when.",
    "database": "The common database: bring its tables to this tminus, archive old launches.",
}
"""Commands of two words: the first word and what they have in common."""

COMMANDS: dict[str, Command] = {
    "demo": Command(
        "tminus.cli.demo:demo",
        "Launch the reference service on this machine: real proxy, real database, real load, a verified record.",
    ),
    "init": Command(
        "tminus.cli.importing:init",
        "Write a first plan on top of the built-in one; on a terminal it asks at most five questions.",
    ),
    "import": Command(
        "tminus.cli.importing:import_",
        "Turn a checklist into a plan, and say what was understood, guessed, and left to a person.",
    ),
    "check": Command(
        "tminus.cli.check:check",
        "Observe what can be observed before a launch, and say how every line stands.",
    ),
    "read": Command(
        "tminus.cli.read:read",
        "Say what is in a file, with counts, read by the very code that the checks use.",
    ),
    "plan check": Command(
        "tminus.cli.plan:check",
        "Read a plan and say what it holds, everything that is wrong, what is to fill.",
    ),
    "plan show": Command(
        "tminus.cli.plan:show", "List every line of a plan and everything else that it holds, by id."
    ),
    "plan schema": Command(
        "tminus.cli.plan:schema", "Print the JSON Schema of plans, for editors that complete and check them."
    ),
    "launch": Command(
        "tminus.cli.launch:launch",
        "Open a launch of a plan, or print its schedule; refused while anything that it needs is open.",
    ),
    "worker": Command(
        "tminus.cli.worker:worker",
        "Run the launches of the common database until SIGTERM or Ctrl-C; then leave them to other workers.",
    ),
    "clearance": Command(
        "tminus.cli.clearance:clearance",
        "Give the signed clearance that other pipelines ask for: only a GO that stands gives one, from T-0 on.",
    ),
    "admit": Command(
        "tminus.cli.clearance:admit",
        "Say whether a clearance admits these digests there now; offline, for pipelines and admission policies.",
    ),
    "status": Command(
        "tminus.cli.status:status",
        "Say where a launch stands: its clock, what it waits for, every section, the traffic, the log.",
    ),
    "guard": Command(
        "tminus.cli.guard:guard", "Judge a recorded trace as the guard would have judged it live."
    ),
    "export": Command(
        "tminus.cli.exporting:export",
        "Hand a plan or a launch on: your checklist ticked with evidence links, a page to print, or JSON.",
    ),
    "serve": Command(
        "tminus.cli.serve:serve",
        "Show every launch in a browser, and keep a worker running beside it, until SIGTERM or Ctrl-C.",
    ),
    "doctor": Command(
        "tminus.cli.doctor:doctor",
        "Say how the common database stands: workers, late launches, queues, clocks, disk; it only reads.",
    ),
    "database migrate": Command(
        "tminus.cli.database:migrate",
        "Make the tables of the common database, or bring them to what this tminus needs.",
    ),
    "database prune": Command(
        "tminus.cli.database:prune",
        "Archive launches that are over for long, each as its signed record, and remove them from the common database.",
    ),
    "verify": Command(
        "tminus.cli.verify:verify", "Prove a launch record: chain, signatures, evidence and rules."
    ),
    "attest": Command(
        "tminus.cli.words:attest", "Give your word for a line that asks a person, signed with your key."
    ),
    "waive": Command(
        "tminus.cli.words:waive",
        "Ask that a line which is not green may stand as it is, or approve what another person asked for.",
    ),
    "acknowledge": Command(
        "tminus.cli.words:acknowledge",
        "Say that you have seen that a blocker is warned, and why it may go so, signed with your key.",
    ),
    "delegate": Command(
        "tminus.cli.words:delegate",
        "Name another person who acts for your role in this launch, before T-24h, signed with your key.",
    ),
    "expedite": Command(
        "tminus.cli.expedite:expedite",
        "Confirm as the second person that a launch takes the plan's shorter form, signed with your key.",
    ),
    "sign": Command(
        "tminus.cli.poll:sign",
        "Sign off for a role while the poll is open: see what you sign, then say go or no-go with your own key.",
    ),
    "decide": Command("tminus.cli.poll:decide", "Decide GO or NO-GO for a launch, signed with your key."),
    "key new": Command(
        "tminus.cli.keys:new",
        "Make a key for a person on this machine; it counts once the trust root holds it.",
    ),
    "key list": Command(
        "tminus.cli.keys:list_",
        "List the keys of this machine's people, and whether this machine's trust root holds them.",
    ),
    "trust add": Command(
        "tminus.cli.trust:add",
        "Trust a person's key for its roles from now on; make sure by another way that it is theirs.",
    ),
    "trust list": Command(
        "tminus.cli.trust:list_",
        "List every key of the trust root: whose it is, for which roles, since when and until when.",
    ),
    "trust retire": Command(
        "tminus.cli.trust:retire_", "End the use of a key; what it signed before stays good."
    ),
    "hold": Command(
        "tminus.cli.orders:hold",
        "Stop the clock of a launch; T-0 and every milestone move by the time it stands. The guard goes on.",
    ),
    "resume": Command(
        "tminus.cli.orders:resume",
        "Let a held clock run again; where it runs, end a hold on evidence, which the guard gathers anew.",
    ),
    "reschedule": Command(
        "tminus.cli.orders:reschedule",
        "Give a launch another T-0: milestones move, sign-offs and people's words for the old date are void.",
    ),
    "scrub": Command("tminus.cli.orders:scrub", "Call a launch off before GO; that ends it."),
    "abort": Command(
        "tminus.cli.orders:abort", "Bring all traffic back to blue and end the launch as aborted."
    ),
    "rollback": Command(
        "tminus.cli.orders:rollback", "Bring all traffic back to blue and end the launch as rolled back."
    ),
    "probes": Command("tminus.cli.probes:probes", "What can be observed, and with which arguments."),
}
"""Every command by the words that are typed, in the order of `tminus --help`. A new one is one line here."""


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
        order = [words.partition(" ")[0] for words in COMMANDS]
        return sorted(self.commands, key=lambda word: order.index(word) if word in order else 0)


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
    try:
        app(prog_name="tminus")
    except TminusError as error:
        from tminus.planfile.problem import printable  # noqa: PLC0415 - nobody pays for it without an error

        # It may quote what another person wrote, or a file.
        sys.stderr.write(printable(f"tminus: {error}\n  what to do: {error.hint}\n"))
        sys.exit(int(error.code))
