"""What is written down: one line a turn, and never the words, the address, or which danger it was."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from server.app import create_app
from server.engine import Engine
from server.log import configure
from server.pipeline import Pipeline, Stage
from server.settings import Settings
from server.turn import SAFETY, Turn

CANARY = "zebracanary7319"
ADDRESS = "192.0.2.77"
QUESTION = f"Does ketamine help with PTSD, {CANARY}?"
DANGER = f"I want to end my life tonight, {CANARY}"
FIELDS = {
    "event",
    "level",
    "timestamp",
    "route",
    "outcome",
    "reason",
    "timings_ms",
    "passages",
    "dropped",
    "dropped_for",
    "corpus",
    "version",
}
Line = dict[str, Any]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where the log goes during one test."""
    stream = io.StringIO()
    before = structlog.get_config()
    configure(stream)
    yield stream
    structlog.configure(**before)


def lines(stream: io.StringIO) -> list[Line]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def turns(stream: io.StringIO) -> list[Line]:
    return [line for line in lines(stream) if line["event"] == "turn"]


Started = Callable[..., TestClient]


@pytest.fixture
def started(engine: Engine, tmp_path: Path) -> Iterator[Started]:
    """Starts an app with a folder of its own, and ends it after the test."""
    clients: list[TestClient] = []

    def start(broken: Stage | None = None, **settings: Any) -> TestClient:
        own = {}
        for topic, pipeline in engine.pipelines.items():
            stages = tuple((n, broken if broken and n == "compose" else stage) for n, stage in pipeline._stages)
            own[topic] = Pipeline(stages, 30.0)
        given = Settings.model_validate({"data_dir": tmp_path, "rate_per_minute": 0, **settings})
        app = create_app(given, loader=lambda _: Engine(engine.corpora, engine.wording, own))
        client = TestClient(app, client=(ADDRESS, 40_000), raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def body(text: str) -> Line:
    return {"messages": [{"role": "user", "content": text}]}


def everywhere(client: TestClient, text: str) -> None:
    """The text by every way that takes one, well formed and not."""
    client.post("/api/ask", json=body(text))
    client.post("/api/ask/stream", json=body(text))
    client.post("/ask", data={"question": text, "history": json.dumps(body(text)["messages"])})
    client.post("/api/ask", json={**body(text), "level": text})
    client.post("/api/ask", content=json.dumps(body(text)).encode()[:-3])
    client.post("/api/ask", json=body(text + " x" * 15_000))
    client.post("/ask", data={"question": text, "history": text})
    client.get(f"/api/sources/{CANARY}")
    client.get(f"/sources/{CANARY}")
    client.get(f"/{CANARY}", params={"question": text})


def check_nothing_kept(stream: io.StringIO, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
    out, err = capture.readouterr()
    for text in (stream.getvalue(), out, err):
        assert CANARY not in text
        assert ADDRESS not in text
    for path in folder.rglob("*"):
        assert CANARY not in path.name
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


@pytest.mark.parametrize("text", [QUESTION, DANGER, f"How much ketamine, {CANARY}?", CANARY, f"¿Qué es {CANARY}?"])
def test_no_words_and_no_address_are_kept(
    started: Started, written: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    everywhere(started(), text)
    assert turns(written)
    check_nothing_kept(written, tmp_path, capsys)


def test_nothing_is_kept_beyond_the_rate_limit_and_switched_off(
    started: Started, written: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limited = started(rate_per_minute=1)
    everywhere(limited, QUESTION)
    everywhere(limited, DANGER)
    everywhere(started(off="yes"), QUESTION)
    check_nothing_kept(written, tmp_path, capsys)


def test_nothing_is_kept_of_a_turn_that_breaks(
    started: Started, written: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(turn: Turn) -> Turn:
        raise RuntimeError(turn.question.text)

    client = started(broken)
    assert client.post("/api/ask", json=body(QUESTION)).json()["outcome"] == "error"
    everywhere(client, QUESTION)
    failed = [line for line in lines(written) if line["event"] == "stage.failed"]
    assert failed[0] | {"timestamp": ""} == {
        "event": "stage.failed",
        "level": "error",
        "stage": "compose",
        "error": "RuntimeError",
        "timestamp": "",
    }
    check_nothing_kept(written, tmp_path, capsys)


def test_libraries_write_nothing_down_either(
    started: Started, written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    client = started()
    with caplog.at_level(logging.DEBUG):
        everywhere(client, QUESTION)
    records = [r for r in caplog.records if r.name not in {"httpx", "httpx2"}]  # the test's own client
    assert not [r for r in records if CANARY in r.getMessage() or ADDRESS in r.getMessage()]


def test_one_line_a_turn(started: Started, written: io.StringIO) -> None:
    client = started()
    reply = client.post("/api/ask", json={**body("Does ketamine help with PTSD?"), "country": "GB"}).json()
    [line] = turns(written)
    assert set(line) == FIELDS
    assert (line["event"], line["route"], line["outcome"], line["reason"]) == ("turn", "/api/ask", "answer", None)
    assert line["passages"] == sorted({c["passage"] for s in reply["sentences"] for c in s["citations"]})
    assert line["timings_ms"] == reply["timings_ms"]
    assert reply["made_with"]["corpus"].startswith(line["corpus"])
    client.post("/api/ask/stream", json=body("Are you a real person?"))
    client.post("/ask", data={"question": "Should I stop my sertraline?"})
    assert [(t["route"], t["outcome"], t["reason"]) for t in turns(written)[1:]] == [
        ("/api/ask/stream", "meta", "about_tool"),
        ("/ask", "decline_redirect", "personal_advice"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I want to end my life tonight",
        "I can't breathe and my chest hurts",
        "My husband wants to kill himself",
        "I am 15 years old. Can I get ketamine?",
        "I am having a flashback right now",
    ],
)
@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream", "/ask"])
def test_a_safety_outcome_is_logged_as_safety(started: Started, written: io.StringIO, text: str, path: str) -> None:
    client = started()
    if path == "/ask":
        client.post(path, data={"question": text})
    else:
        client.post(path, json=body(text))
    [line] = turns(written)
    assert (line["outcome"], line["reason"], line["passages"]) == ("safety", None, [])
    assert not [outcome.value for outcome in SAFETY if outcome.value in json.dumps(line)]


def test_danger_in_a_refused_request_is_one_line_too(started: Started, written: io.StringIO) -> None:
    client = started(rate_per_minute=1)
    client.post("/api/ask", json=body("hi"))
    client.post("/api/ask", json=body("hi"))
    client.post("/api/ask", json=body(DANGER))
    assert [line["outcome"] == "safety" for line in turns(written)] == [False, True]
