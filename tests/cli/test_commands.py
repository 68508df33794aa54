"""The commands as an operator's shell runs them, on SQLite: first start, one process a file, ends in order."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import re
import signal
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from app.__main__ import main
from app.settings import Settings
from app.store.schema import newest
from tests.support.circle import KEY, circle
from tests.support.command import fullcircle, running
from tests.support.mastodon_network import TOKEN, MastodonNetwork, start_thread
from tests.support.ports import free_port

QUICK = {"poll_seconds": 0.3, "settle_seconds": 0, "backoff_seconds": 0.3, "log_format": "json"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """A command typed in this very process: for the many that end at once. Exit code, output and errors."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, **settings: object) -> tuple[int, str, str]:
        for name in Settings.model_fields:
            monkeypatch.delenv(f"FULLCIRCLE_{name.upper()}", raising=False)
        for name, value in {"data_dir": tmp_path / "data", **settings}.items():
            monkeypatch.setenv(f"FULLCIRCLE_{name.upper()}", str(value))
        monkeypatch.setattr("sys.argv", ["fullcircle", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


Typed = Callable[..., tuple[int, str, str]]


def api(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20)


def test_a_first_start_migrates_makes_its_key_and_link_and_says_where_everything_is(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "serve", "--rehearsal", port=port, **QUICK) as serve:
        serve.until_ready()
        assert serve.cpu_seconds < 8, "a start takes about one and a half on a quiet machine"
        data = tmp_path / "data"
        assert (mode(data / "secret.key"), mode(data / "sign-in-link")) == (0o600, 0o600)
        link = (data / "sign-in-link").read_text().strip()
        assert link.startswith(f"{serve.url}/sign-in/fc_")
        for told in (
            link,
            f"{data / 'secret.key'}",
            f"{serve.url}/rehearsal/main",
            f"{serve.url}/rehearsal/main/board",
        ):
            assert told in serve.err, "it says where everything is"
        assert link not in serve.out
        for page in (link, f"{serve.url}/rehearsal/main", f"{serve.url}/rehearsal/main/board"):
            assert httpx.get(page, trust_env=False).status_code == 200
        assert link.rpartition("/")[2] not in "".join(line for line in serve.err.splitlines() if line.startswith("{"))

        assert serve.end(signal.SIGTERM) == 0
        assert '"worker stopped"' in serve.err
        assert "Traceback" not in serve.err
    assert not list(data.glob("*-wal")), "the database is closed in order"

    with running(tmp_path, "serve", port=port, name="again", **QUICK) as serve:
        serve.until_ready("/healthz")
        assert link in serve.err, "the same link, for as long as nobody has signed up"
        assert serve.end(signal.SIGINT) == 0


def test_a_link_lets_an_admin_in_and_gives_a_member_a_new_password(typed: Typed, tmp_path: Path) -> None:
    code, link, _ = typed("sign-in-link")
    assert code == 0
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in/fc_[\w-]{43}\n", link), "the link, alone"
    code, _, err = typed("sign-in-link", "Ana")
    assert code == 1
    assert "There is no member called Ana" in err
    with contextlib.closing(sqlite3.connect(tmp_path / "data/fullcircle.db")) as database:
        columns = "key, name, role, password_hash, created_at"
        database.execute(
            f"INSERT INTO member ({columns}) VALUES ('ana', 'Ana', 'admin', 'x', '2026-01-01 00:00:00.000000')"
        )
        database.commit()
    code, link, _ = typed("sign-in-link", "Ana")
    assert code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "data/fullcircle.db")) as database:
        found = database.execute("SELECT name, role, kind, member_id FROM token ORDER BY id").fetchall()
    assert found == [("", "admin", "link", None), ("Ana", "admin", "link", 1)]


def test_tokens_and_migrations_work_before_and_beside_a_running_service(tmp_path: Path) -> None:
    made = fullcircle(tmp_path, "token", "create", "--name", "ci", "--role", "triager")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"fc_[\w-]{43}\n", made.stdout), "the token, alone"
    assert made.stdout.strip() not in made.stderr
    migrated = fullcircle(tmp_path, "migrate")
    assert (migrated.returncode, migrated.stdout) == (0, "The schema is up to date.\n")

    port = free_port()
    with running(tmp_path, "serve", port=port, **QUICK) as serve:
        serve.until_ready()
        with api(serve.url, made.stdout.strip()) as triager:
            assert triager.get("/api/v1/posts").status_code == 200
            assert triager.delete("/api/v1/accounts/1").status_code == 403
        other = fullcircle(tmp_path, "token", "create", "--name", "beside", "--role", "admin")
        with api(serve.url, other.stdout.strip()) as admin:
            body = {"channel": "rehearsal", "name": "Acme"}
            assert admin.post("/api/v1/accounts", json=body).status_code == 201
            assert admin.post("/api/v1/trackers", json={"kind": "rehearsal", "name": "App"}).status_code == 201
        assert fullcircle(tmp_path, "migrate").returncode == 0
        checked = fullcircle(tmp_path, "doctor", log_format="json")
        assert (checked.returncode, checked.stderr) == (0, "")
        assert "account Acme (rehearsal): works" in checked.stdout

        too_large_is_answered(serve.url)
        for command in ("serve", "worker"):
            second = fullcircle(tmp_path, command, port=free_port())
            assert second.returncode == 1
            assert "FULLCIRCLE_DATABASE_URL=postgresql://" in second.stderr, "the way to several processes"
            assert f"process {serve.process.pid}" in second.stderr
            assert "Traceback" not in second.stderr
        assert serve.process.poll() is None
    with contextlib.closing(sqlite3.connect(tmp_path / "data/fullcircle.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest(),)]


def too_large_is_answered(url: str) -> None:
    """Over a real line: whoever sends 30 MB reads the answer, and is not merely cut off."""

    def parts() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1024 * 1024

    for path in ("/hooks/trackers/1", "/api/v1/loops"):
        for content in (b" " * 30 * 1024 * 1024, parts()):
            answer = httpx.post(url + path, content=content, trust_env=False, timeout=30)
            assert answer.status_code == 413, answer.text
            assert "larger than" in answer.json()["detail"]


def test_a_role_that_does_not_exist_is_refused(typed: Typed) -> None:
    code, out, err = typed("token", "create", "--name", "x", "--role", "emperor")
    assert (code, out) == (2, "")
    assert "emperor" in err


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"port": "eighty"}, "FULLCIRCLE_PORT"),
        ({"base_url": "fullcircle.example"}, "FULLCIRCLE_BASE_URL"),
        ({"lease_seconds": "-1", "log_format": "xml"}, "FULLCIRCLE_LOG_FORMAT"),
        ({"secret_key": "short"}, "FULLCIRCLE_SECRET_KEY must have at least 16 characters"),
        ({"database_url": f"mysql://root:{SECRET}@db/x"}, "sqlite:/// or postgresql://"),
        ({"database_url": f"postgresql://u:{SECRET}@db:port/x"}, "FULLCIRCLE_DATABASE_URL"),
        ({"database_url": f"postgresql://u:{SECRET}@127.0.0.1:1/x"}, "The database cannot be used"),
        ({"database_url": f"postgresql://u:{SECRET}@127.0.0.1:1/x?pool=3"}, "'pool'"),
        ({"database_url": "sqlite:///:memory:"}, "must name a file"),
        ({"data_dir": "/proc/nothing/here"}, "/proc/nothing/here"),
        ({"host": "192.0.2.7"}, "Cannot listen on 192.0.2.7"),
    ],
)
def test_wrong_settings_are_told_without_a_traceback_and_without_a_secret(
    typed: Typed, settings: dict[str, str], says: str
) -> None:
    code, out, err = typed("serve", **{"port": free_port(), **settings})
    assert (code, out) == (1, "")
    assert says in err
    assert "Traceback" not in err
    assert SECRET not in err


@pytest.mark.parametrize("command", [["serve"], ["demo", "--exit"]])
def test_a_port_that_is_taken_is_told(typed: Typed, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = typed(*command, port=port)
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in err
    assert "Traceback" not in err


def test_any_free_port_is_known_to_the_service_itself(tmp_path: Path) -> None:
    with running(tmp_path, "serve", "--rehearsal", port=0, **QUICK) as serve:
        serve.until(lambda: "Sign in as admin" in serve.err and "Application startup complete" in serve.err)
        [url] = set(re.findall(r"http://127\.0\.0\.1:[1-9]\d*(?=/sign-in)", serve.err))
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert serve.end() == 0


def test_a_database_of_a_newer_version_is_left_alone(typed: Typed, tmp_path: Path) -> None:
    assert typed("migrate")[0] == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "data/fullcircle.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    for command in (["serve"], ["migrate"], ["token", "create", "--name", "x", "--role", "admin"]):
        code, out, err = typed(*command, port=free_port())
        assert (code, out) == (1, "")
        assert "from_the_future" in err
        assert "newer" in err
        assert "Traceback" not in err
    code, out, _ = typed("doctor")
    assert code == 1
    assert "from_the_future" in out


SEALED_BY = base64.urlsafe_b64encode(hashlib.sha256(KEY.encode()).digest()).decode()
"""The circle's key, in the form in which it may hold a comma."""


async def test_doctor_names_the_account_whose_token_is_dead(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert fullcircle(tmp_path, "migrate", secret_key=SEALED_BY).returncode == 0
    network = MastodonNetwork()
    with start_thread(network) as server:
        async with circle(f"sqlite:///{tmp_path / 'data/fullcircle.db'}") as played:
            account = {
                "channel": "mastodon",
                "settings": {"base_url": server.base_url},
                "secrets": {"access_token": TOKEN},
            }
            await played.post("/api/v1/accounts", {**account, "name": "Acme on Mastodon"}, status=201)
            await played.post("/api/v1/trackers", {"kind": "rehearsal", "name": "Acme app"}, status=201)

        well = fullcircle(tmp_path, "doctor", secret_key=SEALED_BY)
        assert well.returncode == 0, well.stdout
        assert "ok  account Acme on Mastodon (mastodon): works" in well.stdout

        server.token(TOKEN, revoked=True)
        ill = fullcircle(tmp_path, "doctor", secret_key=SEALED_BY)
        assert ill.returncode == 1
        [line] = [line for line in ill.stdout.splitlines() if line.startswith("!!")]
        assert "Acme on Mastodon" in line
        assert "ok  tracker Acme app" in ill.stdout
        assert TOKEN not in ill.stdout + ill.stderr

        sealed = fullcircle(tmp_path, "doctor", secret_key="quite another key than that one")
        assert sealed.returncode == 1
        assert "sealed with another key" in sealed.stdout
        assert "Traceback" not in ill.stderr + sealed.stderr


def test_doctor_says_what_a_new_installation_lacks(typed: Typed) -> None:
    code, out, _ = typed("doctor")
    assert code == 1
    assert "fullcircle migrate" in out


def test_help_names_every_command_of_the_contract(typed: Typed) -> None:
    code, out, _ = typed("--help")
    assert code == 0
    for command in ("serve", "worker", "migrate", "demo", "doctor", "token"):
        assert re.search(rf"\b{command}\b", out)
