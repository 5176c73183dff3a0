"""A real PostgreSQL for tests: started once a session, an empty database for every test.

It can be restarted, killed, and made to hang as a server does whose machine stands still.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from brandbot.conversations import ConversationLog

USER = "postgres"
STARTS_WITHIN = 60.0  # seconds
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # Nothing here has to survive the loss of power; a killed server loses nothing by it.
    "fsync": "off",
    "full_page_writes": "off",
    "lc_messages": "C",
}


class Server:
    """A PostgreSQL of one's own on a free port of the loopback address."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="brandbot-postgres-"))
        # PostgreSQL refuses to run as root.
        self._as = {"user": USER, "group": USER} if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(self.folder, USER, USER)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        command = [binaries / "initdb", "-D", self._data, "-A", "trust", "-U", USER, "-E", "UTF8"]
        options = ["--no-sync", "--locale=C"]
        done = subprocess.run(
            [*map(str, command), *options], capture_output=True, text=True, cwd="/", **self._as
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr}")
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{database}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        settings = [part for k, v in SETTINGS.items() for part in ("-c", f"{k}={v}")]
        command = [self._binaries / "postgres", "-D", self._data, "-p", self._port, *settings]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, cwd="/", **self._as
            )
        ready = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        deadline = time.monotonic() + STARTS_WITHIN
        while subprocess.run(ready).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL doesn't start:\n{self.log()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops it: SIGINT cuts every connection, SIGQUIT dies as it stands."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(STARTS_WITHIN)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def hang(self) -> None:
        """It stands still, connections stay open: to a client, a machine that is paused."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes():
            os.kill(process, signal.SIGCONT)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def close(self) -> None:
        self.resume()
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[int]:
        """The server and those it made, the parent first, so that it makes no more meanwhile."""
        assert self._process is not None
        found = [self._process.pid]
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[1]) == self._process.pid:
                    found.append(int(folder.name))
        return found


def binaries() -> Path:
    """Where PostgreSQL's programs lie; the test fails with what to do if there are none."""
    on_path = shutil.which("pg_ctl")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if all((folder / name).is_file() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    pytest.fail(
        "These tests need a real PostgreSQL. Install it with: sudo apt-get install postgresql"
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's PostgreSQL."""
    server = Server(binaries())
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'home' / 'brandbot.db'}"
    return str(request.getfixturevalue("postgres").fresh())


@pytest.fixture
def log(database_url: str) -> Iterator[ConversationLog]:
    """An empty log, on each kind of database."""
    opened = ConversationLog(database_url)
    yield opened
    opened.close()
