"""A real PostgreSQL for the tests: started in a temporary folder on loopback, gone with the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

OWNER = "fullcircle"
SECONDS_TO_START = 60
PROGRAMS = ("initdb", "postgres", "pg_isready", "createdb", "dropdb")

# Speed instead of safety from power cuts: this server's data is thrown away. The odd time zone is
# on purpose: a time that lost its zone on the way comes back wrong by hours, and a test sees it.
CONFIGURATION = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "jit": "off",
    "timezone": "Pacific/Chatham",
}


class PostgresError(RuntimeError):
    """The test server did not start; the message holds the end of its log."""


def find_programs() -> Path | None:
    """The folder with the server's own programs, of the newest version installed; None where there is none.

    Debian keeps them out of the PATH, in one folder for each version.
    """
    debian = sorted(
        Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    on_path = shutil.which("initdb")
    for folder in [*debian, *([Path(on_path).parent] if on_path else [])]:
        if all((folder / program).exists() for program in PROGRAMS):
            return folder
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server. `folder` holds its data, its log and its unix socket."""

    programs: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """The address as an operator would write it in FULLCIRCLE_DATABASE_URL."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database, empty or as a copy of `template` (which nobody may be connected to); returns its address."""
        self._run("createdb", "--template", template, database)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, cutting whoever is still connected."""
        self._run("dropdb", "--force", "--if-exists", database)

    def stop(self) -> None:
        """End the server by its own process id and remove its folder."""
        # SIGINT is PostgreSQL's fast shutdown: it cuts connections instead of waiting for them.
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        where = ("--host", "127.0.0.1", "--port", str(self.port), "--username", OWNER)
        done = subprocess.run(
            [self.programs / program, *where, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode:
            raise PostgresError(f"{program} {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")


def start(programs: Path, *, configuration: Mapping[str, str] = CONFIGURATION) -> PostgresServer:
    """Make a new cluster in a temporary folder and serve it; PostgresError with its log where it does not answer."""
    folder = Path(tempfile.mkdtemp(prefix="fullcircle-postgres-", dir=_temporary_folder()))
    account = _account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        _initialise(programs, folder, account)
        for attempt in range(3):
            # Between finding a free port and listening on it, somebody else may take it.
            server = _serve(programs, folder, account, configuration, port=free_port())
            if _answers(server):
                return server
            if attempt == 2 or server.process.poll() is None:
                server.process.kill()
                server.process.wait()
                break
        raise PostgresError(f"the test server did not start:\n{_end_of(folder / 'log')}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _temporary_folder() -> str | None:
    """Where the server's own account can reach its folder: a TMPDIR inside somebody's home may be closed to it."""
    return "/tmp" if os.geteuid() == 0 and Path("/tmp").is_dir() else None


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses to run as root; anybody else runs it themselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("running as root, and there is no account 'postgres' or 'nobody' to run the server as")


def _start_process(
    command: list[str | Path], folder: Path, account: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            # Ctrl-C in the terminal is for the tests; they stop the server themselves.
            start_new_session=True,
        )


def _initialise(programs: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    command: list[str | Path] = [programs / "initdb", "--pgdata", folder / "data", "--username", OWNER]
    command += ["--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
    if _start_process(command, folder, account).wait():
        raise PostgresError(f"initdb failed:\n{_end_of(folder / 'log')}")


def _serve(
    programs: Path,
    folder: Path,
    account: pwd.struct_passwd | None,
    configuration: Mapping[str, str],
    *,
    port: int,
) -> PostgresServer:
    settings = {"port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder)}
    command: list[str | Path] = [programs / "postgres", "-D", folder / "data"]
    for name, value in {**settings, **configuration}.items():
        command += ["-c", f"{name}={value}"]
    setpriv = shutil.which("setpriv")
    if setpriv:
        # A test worker that is killed outright cleans up nothing: the kernel then ends its server for it.
        command = [setpriv, "--pdeathsig", "INT", *command]
    return PostgresServer(programs=programs, folder=folder, port=port, process=_start_process(command, folder, account))


def _answers(server: PostgresServer) -> bool:
    """Wait until the server takes connections; false once it has ended or has had its time."""
    probe = [server.programs / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(server.port)]
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.process.poll() is None:
        if subprocess.run(probe, stdin=subprocess.DEVNULL, check=False).returncode == 0:
            # Whoever took the port before us may have answered; ours is then about to end.
            return server.process.poll() is None
        time.sleep(0.02)
    return False


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)"
