"""The commands of depot: serve, worker, migrate, schema, adduser, seed.

Exit codes: 0 done; 1 it failed; 2 the command or the environment is wrong.
"""

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence

import psycopg

from .errors import DepotError, SettingsError
from .release import installed_release
from .seed import fill
from .settings import USER_PASSWORD, read_database_url, read_settings, schema
from .users import set_user


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except DepotError as error:
        return _fail(str(error), error.code)
    except psycopg.Error as error:
        return _fail(str(error), 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="depot", description="a document store")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    served = commands.add_parser("serve", help="answer requests")
    served.add_argument("--host", default="127.0.0.1")
    served.add_argument("--port", type=int, required=True)
    served.set_defaults(run=_serve)
    worked = commands.add_parser("worker", help="do queued jobs and deliver events")
    worked.set_defaults(run=_work)
    commands.add_parser("schema", help="print what the environment may set").set_defaults(run=_schema)
    user = commands.add_parser("adduser", help="let a user log in; password from the environment or stdin")
    user.add_argument("name")
    user.set_defaults(run=_adduser)
    seeded = commands.add_parser("seed", help="fill with sample documents, files, canaries, flags and a user")
    seeded.add_argument("--documents", type=int, required=True, help="in all; 20 of them are canaries")
    seeded.add_argument("--user", default="demo")
    seeded.set_defaults(run=_seed)
    _add_migrate(commands.add_parser("migrate", help="change the schema"))
    return parser


def _add_migrate(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(required=True, metavar="ACT", dest="act")
    up = acts.add_parser("up", help="to a revision; default: all of this release")
    up.add_argument("--to", default="head")
    down = acts.add_parser("down", help="to a revision, or base; default: one step")
    down.add_argument("--to", default="-1")
    acts.add_parser("current", help="print the revision of the schema")
    acts.add_parser("sql", help="print the statements of every revision")
    parser.set_defaults(run=_migrate)


def _serve(parsed: argparse.Namespace) -> None:
    from .serve import serve  # noqa: PLC0415 - its web framework costs half a second, and nobody else needs it
    from .telemetry import log_to_stdout  # noqa: PLC0415 - see above

    release = installed_release()
    log_to_stdout(release.version, f"{socket.gethostname()}:{parsed.port}")
    serve(release, read_settings(os.environ), parsed.host, parsed.port)


def _work(_parsed: argparse.Namespace) -> None:
    from .telemetry import log_to_stdout  # noqa: PLC0415 - see `_serve`
    from .worker import work  # noqa: PLC0415 - its HTTP client costs 0.2 s, and serving does not need it

    log_to_stdout(installed_release().version, f"{socket.gethostname()}:worker-{os.getpid()}")
    work(read_settings(os.environ))


def _schema(_parsed: argparse.Namespace) -> None:
    _print(json.dumps(schema(), indent=2))


def _adduser(parsed: argparse.Namespace) -> None:
    password = _password()
    with psycopg.connect(read_database_url(os.environ), connect_timeout=5) as connection:
        set_user(connection, parsed.name, password)
    _print(json.dumps({"user": parsed.name}))


def _seed(parsed: argparse.Namespace) -> None:
    password = _password()
    with psycopg.connect(read_database_url(os.environ), connect_timeout=5) as connection:
        set_user(connection, parsed.user, password)
        changed = fill(connection, parsed.documents)
    _print(json.dumps({"user": parsed.user, **changed}))


def _migrate(parsed: argparse.Namespace) -> None:
    from . import migrate  # noqa: PLC0415 - Alembic costs 0.3 s and 20 MB, and serving does not need it

    if parsed.act == "sql":
        migrate.sql(installed_release())
        return
    url = read_database_url(os.environ)
    if parsed.act == "up":
        migrate.up(installed_release(), url, parsed.to)
    if parsed.act == "down":
        migrate.down(installed_release(), url, parsed.to)
    _print(migrate.current(url) or "none")


def _password() -> str:
    password = os.environ.get(USER_PASSWORD.name) or sys.stdin.readline().rstrip("\n")
    if len(password) < 8:
        raise SettingsError(
            f"a password of 8 characters or more is needed in {USER_PASSWORD.name} or on stdin"
        )
    return password


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"depot: {message}\n")
    return code
