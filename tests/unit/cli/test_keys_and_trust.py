"""`tminus key` and `tminus trust`: keys of people, and the list that says which count."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tminus.cli.app import app
from tminus.domain.trust import TrustRoot
from tminus.errors import RefusedError, TminusError, UsageError
from tminus.signing import People, Signer, load_trust, read_public, trust_path

KEYID = Signer.generate().keyid

SECRET = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    monkeypatch.setenv("TMINUS_PASSPHRASE", SECRET)
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


def refused(*words: str) -> str:
    ended = typed(*words)
    assert isinstance(ended.exception, TminusError), ended.output
    return f"{ended.exception}; {ended.exception.hint}"


def made(name: str = "Lena Ortiz", *roles: str) -> str:
    """A new key; the file of its public part."""
    words = [word for role in roles or ("lead",) for word in ("--role", role)]
    ended = typed("key", "new", name, *words)
    assert ended.exit_code == 0, ended.output
    return ended.stdout.split("trust add ")[1].strip()


def trusted(home: Path) -> TrustRoot:
    return load_trust(trust_path(home))


def test_a_new_key_is_its_owners_alone_and_locked(home: Path) -> None:
    public = read_public(Path(made()))
    (private,) = (home / "keys" / "people").glob("*.pem")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert private.name == f"lena-ortiz.{public.keyid[:8]}.pem"
    assert b"ENCRYPTED" in private.read_bytes()
    assert People(home).open(public, SECRET).keyid == public.keyid
    with pytest.raises(RefusedError, match="does not open"):
        People(home).open(public, "another passphrase")
    with pytest.raises(RefusedError, match="does not open"):
        People(home).open(public, "")


def test_a_key_counts_once_the_trust_root_holds_it(home: Path) -> None:
    file = made("Lena Ortiz", "lead", "qa")
    assert "Lena Ortiz  lead, qa  not enrolled" in typed("key", "list").stdout
    assert "as lead, qa" in typed("trust", "add", file).stdout
    (key,) = trusted(home).keys
    assert (key.name, key.roles, key.simulated, key.valid_until) == (
        "Lena Ortiz",
        ("lead", "qa"),
        False,
        None,
    )
    assert "already" in typed("trust", "add", "lena ortiz").stdout
    assert "Lena Ortiz  lead, qa  enrolled" in typed("key", "list").stdout
    assert json.loads(typed("trust", "list", "--json").stdout)["keyid"] == key.keyid


def test_the_trust_root_decides_the_roles_and_the_time(home: Path) -> None:
    file = made()
    typed(
        "trust",
        "add",
        file,
        "--role",
        "cto",
        "--from",
        "2026-01-01T00:00:00Z",
        "--until",
        "2027-01-01T01:00:00+01:00",
    )
    (key,) = trusted(home).keys
    assert (key.roles, key.valid_from) == (("cto",), "2026-01-01T00:00:00.000Z")
    assert key.valid_until == "2027-01-01T00:00:00.000Z"
    assert "enrolled already" in refused("trust", "add", file)


def test_rotation_is_another_key_beside_the_first(home: Path) -> None:
    first = read_public(Path(made()))
    typed("trust", "add", str(People(home).public_file(first)))
    second = Path(made("lena  Ortiz"))
    assert "2 keys on this machine" in refused("trust", "add", "Lena Ortiz")
    typed("trust", "add", str(second))
    said = typed("trust", "retire", first.keyid[:8], "--at", "2030-01-01T00:00:00Z").stdout
    assert "no longer counts from 2030-01-01T00:00:00.000Z on" in said
    old, new = trusted(home).keys
    assert (old.valid_until, new.valid_until) == ("2030-01-01T00:00:00.000Z", None)
    assert "until 2030-01-01" in typed("trust", "list").stdout
    assert "retired at 2030" in typed("key", "list").stdout


def test_another_machine_s_trust_root_can_be_named(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "trust.json"
    assert typed("trust", "add", made(), "--trust", str(other)).exit_code == 0
    assert "Lena Ortiz  lead" in typed("trust", "list", "--trust", str(other)).stdout
    assert not trust_path(home).exists()


def test_a_passphrase_may_lie_in_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "passphrase").write_text("from a file, long\n", encoding="utf-8")
    monkeypatch.setenv("TMINUS_PASSPHRASE", f"file:{home / 'passphrase'}")
    public = read_public(Path(made()))
    assert People(home).open(public, "from a file, long").keyid == public.keyid


def test_a_passphrase_file_that_is_not_there_is_the_variable_s_fault(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMINUS_PASSPHRASE", f"file:{home / 'nowhere'}")
    told = typed("key", "new", "Lena Ortiz", "--role", "lead").exception
    assert isinstance(told, UsageError)
    assert str(told).startswith("TMINUS_PASSPHRASE: ")
    assert "correct the variable" in told.hint


def test_without_a_terminal_nobody_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMINUS_PASSPHRASE")
    assert "TMINUS_PASSPHRASE" in refused("key", "new", "Lena Ortiz", "--role", "lead")
    assert not list((home / "keys").rglob("*.pem"))


def test_what_cannot_be_a_key_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is no name of a person" in refused("key", "new", "../..", "--role", "lead")
    assert "are not seen" in refused("key", "new", "\N{ZERO WIDTH SPACE}", "--role", "lead")
    assert "turn what is" in refused("key", "new", "Ada\N{RIGHT-TO-LEFT OVERRIDE}enotS", "--role", "lead")
    assert "the name 'Ada\\x1b[31m' holds" in refused("key", "new", "Ada\x1b[31m", "--role", "lead")
    assert "a role has 65 characters" in refused("key", "new", "Lena Ortiz", "--role", "r" * 65)
    assert "needs a role" in refused("key", "new", "Lena Ortiz", "--role", " ")
    monkeypatch.setenv("TMINUS_PASSPHRASE", "short")
    assert "5 characters" in refused("key", "new", "Lena Ortiz", "--role", "lead")
    assert not list((home / "keys").rglob("*.pem"))


def test_a_name_with_dots_and_slashes_stays_in_its_folder(home: Path) -> None:
    assert Path(made("../Lena/../../Ortiz")).parent == home / "keys" / "people"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "cannot be read"),
        ("[]", "not an object"),
        ('{"keyid": "00", "name": "x", "roles": []}', "64 lower-case hex digits"),
        (json.dumps({"keyid": "0" * 64, "name": "x", "roles": ["qa"]}), "small order"),
        (json.dumps({"keyid": "0" * 64, "name": "x"}), "roles"),
        (json.dumps({"keyid": KEYID, "name": "Ada\u202eenotS", "roles": ["qa"]}), "turn what is"),
        (json.dumps({"keyid": KEYID, "name": "Ada", "roles": ["q\na"]}), "a role 'q\\na' holds"),
    ],
)
def test_a_file_that_is_no_public_key_is_refused(home: Path, content: str, why: str) -> None:
    (home / "key.json").write_text(content, encoding="utf-8")
    assert why in refused("trust", "add", str(home / "key.json"))
    assert not trust_path(home).exists()


def test_times_and_ids_that_mean_nothing_are_refused(home: Path) -> None:
    file = made()
    assert "no time with a zone" in refused("trust", "add", file, "--from", "tomorrow")
    assert "before it counts" in refused("trust", "add", file, "--until", "2020-01-01T00:00:00Z")
    assert not trust_path(home).exists()
    typed("trust", "add", file)
    for word in (read_public(Path(file)).keyid[:7], "f" * 9):
        assert "names none of the keys" in refused("trust", "retire", word)
    assert isinstance(typed("trust", "add", "Nobody").exception, UsageError)


def test_a_private_key_of_another_is_not_used(home: Path) -> None:
    one, other = read_public(Path(made())), read_public(Path(made("Dario Voss", "devops")))
    folder = home / "keys" / "people"
    (folder / f"dario-voss.{other.keyid[:8]}.pem").replace(folder / f"lena-ortiz.{one.keyid[:8]}.pem")
    with pytest.raises(RefusedError, match="is not the key that its public part names"):
        People(home).open(one, SECRET)
