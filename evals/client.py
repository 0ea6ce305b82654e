"""A small client of `POST /api/ask` that keeps its connection: what one person's page, or one of eight, does."""

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from evals.server_process import HOST

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: how long it took, and what it was. `outcome` is None where there was no answer at all."""

    ms: float
    status: int | None
    outcome: str | None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """A 200 that is not the error card."""
        return self.status == http.client.OK and self.outcome not in (None, "error")


class Client:
    """One connection, opened again after a failure."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_S)

    def ask(self, question: str) -> Reply:
        """Asks and reads the whole reply; a failure is a reply without a status."""
        body = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
        started = time.perf_counter()
        try:
            self._connection.request("POST", "/api/ask", body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Reply((time.perf_counter() - started) * 1000, None, None)
        return _reply((time.perf_counter() - started) * 1000, response.status, content)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def _reply(ms: float, status: int, content: bytes) -> Reply:
    try:
        data: Any = json.loads(content)
    except ValueError:
        data = None
    if status != http.client.OK or not isinstance(data, dict):
        return Reply(ms, status, None)
    return Reply(ms, status, data.get("outcome"), data.get("timings_ms") or {})


def in_turn(port: int, questions: Sequence[str], count: int) -> list[Reply]:
    """`count` questions, one after the other, over one connection."""
    client = Client(port)
    try:
        return [client.ask(questions[number % len(questions)]) for number in range(count)]
    finally:
        client.close()


def at_once(port: int, questions: Sequence[str], clients: int, seconds: float) -> tuple[list[Reply], float]:
    """Every reply that `clients` threads got until the time was over, and the seconds it really took."""
    replies: list[list[Reply]] = [[] for _ in range(clients)]
    started = time.perf_counter()
    threads = [
        Thread(target=_until, args=(port, questions, number, started + seconds, replies[number]), daemon=True)
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [reply for own in replies for reply in own], time.perf_counter() - started


def _until(port: int, questions: Sequence[str], first: int, end: float, replies: list[Reply]) -> None:
    """One thread's questions; each thread begins at another one."""
    client = Client(port)
    number = first * 7
    while time.perf_counter() < end:
        replies.append(client.ask(questions[number % len(questions)]))
        number += 1
        if replies[-1].status is None:
            time.sleep(0.05)  # a server that is down is not asked in a tight loop
    client.close()
