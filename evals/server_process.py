"""The real server as a subprocess on loopback: started, watched through /proc, always ended."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 180.0
END_LIMIT_S = 10.0
_POLL_S = 0.02
_TAIL = 5


class ServerError(RuntimeError):
    """The server did not come up: says why, with its last lines."""


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def serve_command(port: int) -> list[str]:
    """`plaincite serve` of this checkout."""
    return [sys.executable, "-m", "server.cli", "serve", "--host", HOST, "--port", str(port)]


def _stat(pid: int, proc: Path) -> tuple[int, int] | None:
    """(parent, start time in ticks) of a process; None where it has gone."""
    with suppress(OSError, ValueError, IndexError):
        # The name in brackets may hold blanks and brackets itself.
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return int(fields[1]), int(fields[19])
    return None


def tree(pid: int, proc: Path = Path("/proc")) -> dict[int, int]:
    """The process and everything that descends from it, each with its start time, which tells a pid used again."""
    stats = {int(folder.name): _stat(int(folder.name), proc) for folder in proc.iterdir() if folder.name.isdigit()}
    alive = {one: stat for one, stat in stats.items() if stat is not None}
    found = [pid] if pid in alive else []
    for one in found:
        found += [child for child, (parent, _) in alive.items() if parent == one]
    return {one: alive[one][1] for one in found}


def resident_bytes(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Resident memory of the process tree (shared pages count once a process); None where it cannot be read."""
    sizes = []
    for one in tree(pid, proc):
        with suppress(OSError):
            for line in (proc / str(one) / "status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    sizes.append(int(line.split()[1]) * 1024)
    return sum(sizes) if sizes else None


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-_TAIL:])


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: IO[bytes], limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while not _is_ready(port):
        if process.poll() is not None:
            raise ServerError(
                f"the server ended with status {process.returncode} before it was ready\n{_last_lines(log)}"
            )
        if time.monotonic() > until:
            raise ServerError(f"the server was not ready after {limit_s:g} s\n{_last_lines(log)}")
        time.sleep(_POLL_S)


def end(process: "subprocess.Popen[bytes]", limit_s: float = END_LIMIT_S, proc: Path = Path("/proc")) -> None:
    """SIGTERM, then a kill by pid of whatever of the tree is left."""
    ours = tree(process.pid, proc) if process.poll() is None else {}
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(limit_s)
    for pid, began in ours.items():
        stat = _stat(pid, proc)
        if stat is not None and stat[1] == began:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _refuse_taken(port: int) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError as error:
            raise ServerError(f"port {port} cannot be used: {error.strerror}") from None


@contextmanager
def running(
    port: int,
    command: Sequence[str] | None = None,
    start_limit_s: float = START_LIMIT_S,
    end_limit_s: float = END_LIMIT_S,
) -> Iterator[tuple[int, float]]:
    """(pid, seconds from the spawn to the first 200 of /readyz); the server is ended whatever happens inside."""
    _refuse_taken(port)
    environ = {**os.environ, "PLAINCITE_RATE_PER_MINUTE": "0"}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command or serve_command(port), cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait_until_ready(process, port, log, start_limit_s)
            yield process.pid, time.perf_counter() - started
        finally:
            end(process, end_limit_s)
