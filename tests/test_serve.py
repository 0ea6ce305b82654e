"""`serve` as a process: it becomes ready, answers, and when it is told to stop it finishes what it has begun."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ANSWERABLE = "Does ketamine help with PTSD?"
CANARY = "zebracanary7319"
READY_WITHIN_S = 90
STOPS_WITHIN_S = 15
ENDED_BY_US = {0, -signal.SIGTERM}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def call(port: int, method: str, path: str, body: Any = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def question(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "country": "GB"}


class Served:
    """A running server: its process, its port and the file that holds what it wrote."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, written: Path) -> None:
        self.process = process
        self.port = port
        self.written = written

    @property
    def text(self) -> str:
        return self.written.read_text(encoding="utf-8", errors="replace")

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.text
        return is_open(self.port) and call(self.port, "GET", "/readyz")[0] == 200


@pytest.fixture
def served(data_dir: Path, engine: object, tmp_path: Path) -> Iterator[Served]:
    """The server on a free port of loopback, ready; whatever happens, it has ended after the test."""
    port, written = free_port(), tmp_path / "written"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PLAINCITE_")}
    environ |= {"PLAINCITE_DATA_DIR": str(data_dir), "PLAINCITE_RATE_PER_MINUTE": "0", "HF_HUB_OFFLINE": "1"}
    with written.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Served(process, port, written)
    try:
        assert until(READY_WITHIN_S, running.is_ready), running.text
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def begin(served: Served, body: bytes) -> socket.socket:
    """A question whose request is running: its first half is sent, and the app waits for the rest."""
    sock = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    head = "POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    sock.sendall(head.encode())
    # The server says so when the app asks for the body: from here on, the request is running.
    assert sock.recv(1_000).startswith(b"HTTP/1.1 100 ")
    sock.sendall(body[: len(body) // 2])
    return sock


def test_an_answer_begun_before_the_stop_arrives_and_the_process_ends(served: Served) -> None:
    assert call(served.port, "GET", "/healthz")[0] == 200
    status, text = call(served.port, "POST", "/api/ask", question(f"Does ketamine help with PTSD? {CANARY}"))
    assert (status, json.loads(text)["outcome"]) == (200, "answer")

    body = json.dumps(question(ANSWERABLE)).encode()
    with begin(served, body) as sock:
        begun = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert until(10, lambda: not is_open(served.port)), "it still takes new connections"
        assert served.process.poll() is None
        sock.sendall(body[len(body) // 2 :])
        response = HTTPResponse(sock)
        response.begin()
        reply = json.loads(response.read())
    assert (response.status, reply["outcome"]) == (200, "answer")
    assert reply["sentences"]
    assert served.process.wait(STOPS_WITHIN_S) in ENDED_BY_US
    assert time.monotonic() - begun < STOPS_WITHIN_S
    assert CANARY not in served.text
    assert "Traceback" not in served.text
    turns = [json.loads(line) for line in served.text.splitlines() if line.startswith("{")]
    assert [turn["outcome"] for turn in turns if turn["event"] == "turn"] == ["answer", "answer"]


def test_an_idle_server_ends_at_once(served: Served) -> None:
    page = call(served.port, "GET", "/")
    assert page[0] == 200
    begun = time.monotonic()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(STOPS_WITHIN_S) in {*ENDED_BY_US, -signal.SIGINT, 130}
    assert time.monotonic() - begun < STOPS_WITHIN_S
    assert "Traceback" not in served.text
