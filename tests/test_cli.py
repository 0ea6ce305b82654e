"""The command line, run in this process."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from server.cli import app

CANARY = "zebracanary7319"
FIELDS = "id outcome reason card conflict sentences sources text made_with timings_ms".split()


@pytest.fixture(autouse=True)
def _same_log() -> Any:
    """The command configures the log; later tests get theirs back."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def run(*arguments: str, given: str | None = None, **environ: str) -> Result:
    """One command, with these PLAINCITE_ settings and no others."""
    return CliRunner().invoke(app, arguments, input=given, env={f"PLAINCITE_{k}": v for k, v in environ.items()})


def test_the_real_corpus_has_no_defect() -> None:
    result = run("corpus", "check")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""


def test_a_defect_is_one_line_and_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.corpus.check.check_folder", lambda _: ["claims.yaml: c1: no passage", "x: y"])
    result = run("corpus", "check")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["claims.yaml: c1: no passage", "x: y"]


ROWS = [
    {"premise": "41 people took part in the trial.", "claim": "41 people took part in the trial.", "id": 7},
    {"premise": "41 people took part in the trial.", "claim": "Rain falls on the green hills of Wales."},
    {"premise": "", "claim": ""},
    {"premise": "Tabelle: 12,5 %\u2028ü", "claim": "ü"},
]


def _rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _check_scores(got: list[dict[str, Any]]) -> None:
    assert [{k: v for k, v in row.items() if k not in {"score", "supported"}} for row in got] == ROWS
    assert all(0 <= row["score"] <= 1 and isinstance(row["supported"], bool) for row in got)
    assert (got[0]["supported"], got[1]["supported"]) == (True, False)
    assert got[0]["score"] > got[1]["score"]


def test_support_scores_rows_from_file_to_file(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.jsonl", tmp_path / "scored.jsonl"
    source.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS), encoding="utf-8")
    result = run("support", "--in", str(source), "--out", str(target))
    assert result.exit_code == 0, result.output
    _check_scores([json.loads(line) for line in target.read_text(encoding="utf-8").split("\n") if line])


def test_support_scores_rows_from_standard_input() -> None:
    result = run("support", given="".join(json.dumps(row) + "\n" for row in ROWS))
    assert result.exit_code == 0, result.output
    _check_scores([json.loads(line) for line in result.stdout.split("\n") if line])


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "7",
        '"premise claim"',
        "null",
        '{"premise": "a"}',
        '{"premise": 1, "claim": "a"}',
        '{"premise": "a", "claim": null}',
    ],
)
def test_a_bad_row_is_told_by_its_line_and_the_others_are_scored(bad: str) -> None:
    rows = [json.dumps(ROWS[0]), "", bad, *map(json.dumps, ROWS[1:])]
    result = run("support", given="\n".join(rows) + "\n")
    assert result.exit_code == 1
    assert "line 3" in result.stderr
    assert "1 bad row" in result.stderr
    assert "Traceback" not in result.output
    _check_scores([json.loads(line) for line in result.stdout.split("\n") if line])


def test_support_without_its_file_is_one_calm_line(tmp_path: Path) -> None:
    result = run("support", "--in", str(tmp_path / "none.jsonl"))
    assert result.exit_code == 2
    assert "none.jsonl" in result.stderr
    assert "Traceback" not in result.output
    assert not isinstance(result.exception, OSError)


def test_support_of_broken_bytes_is_one_calm_line(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(json.dumps(ROWS[0]).encode() + b"\n\xff\xfe\n")
    result = run("support", "--in", str(source))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_ask_prints_the_response_as_json(data_dir: Path, engine: object) -> None:
    result = run("ask", "Does ketamine help with PTSD?", "--json", "--country", "gb", DATA_DIR=str(data_dir))
    assert result.exit_code == 0, result.output
    reply = json.loads(result.stdout)
    assert list(reply) == FIELDS
    assert reply["outcome"] == "answer"
    assert reply["sentences"][0]["citations"]


def test_ask_prints_the_answer_with_its_links(data_dir: Path, engine: object) -> None:
    result = run("ask", "Does ketamine help with PTSD?", "--level", "clinician", DATA_DIR=str(data_dir))
    assert result.exit_code == 0, result.output
    assert "[1]" in result.stdout
    assert "https://doi.org/" in result.stdout
    assert "Not medical advice" in result.stdout


def test_ask_in_danger_prints_the_card(data_dir: Path, engine: object) -> None:
    result = run("ask", "I want to end my life tonight", "--country", "GB", DATA_DIR=str(data_dir))
    assert result.exit_code == 0, result.output
    assert "116 123" in result.stdout
    assert "end my life" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("--country", "U1"), "country"), (("--level", CANARY), "level"), (("--country", ""), "country")],
)
def test_a_bad_option_is_one_line_that_names_it(arguments: tuple[str, ...], named: str) -> None:
    result = run("ask", "hi", *arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert CANARY not in result.output
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("ask", "hi"), ("index",), ("serve",)])
@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"COLOUR": "blue"}, "PLAINCITE_COLOUR"),
        ({"RATE_PER_MINUTE": "many"}, "PLAINCITE_RATE_PER_MINUTE"),
        ({"RATE_PER_MINUTE": "-1"}, "PLAINCITE_RATE_PER_MINUTE"),
        ({"OFF": "maybe"}, "PLAINCITE_OFF"),
        ({"CHROMA_URL": "ftp://x"}, "PLAINCITE_CHROMA_URL"),
        ({"CHAT_MODEL": "openai:any"}, "PLAINCITE_CHAT_"),
    ],
)
def test_a_setting_that_cannot_be_stops_with_one_line(
    command: tuple[str, ...], environ: dict[str, str], named: str
) -> None:
    result = run(*command, **environ)
    assert result.exit_code == 2
    assert named in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [("ask", "hi"), ("serve",)])
def test_an_unknown_topic_stops_with_one_line(command: tuple[str, ...], data_dir: Path, engine: object) -> None:
    result = run(*command, TOPIC="nowhere", DATA_DIR=str(data_dir))
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1), result.output
    assert "PLAINCITE_TOPIC" in result.stderr


def test_production_refuses_unsigned_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: list[object] = []
    monkeypatch.setattr("uvicorn.run", lambda created, **_: served.append(created))
    refused = run("serve", ENV="production", DATA_DIR=str(tmp_path))
    assert refused.exit_code == 2
    assert "PLAINCITE_ACCEPT_UNSIGNED=yes" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not served
    accepted = run("serve", ENV="production", ACCEPT_UNSIGNED="yes", DATA_DIR=str(tmp_path))
    assert accepted.exit_code == 0, accepted.output
    assert len(served) == 1


def test_several_workers_are_refused_unsigned_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: list[object] = []
    monkeypatch.setattr("uvicorn.run", lambda created, **_: served.append(created))
    assert run("serve", "--workers", "2", ENV="production", DATA_DIR=str(tmp_path)).exit_code == 2
    assert run("serve", "--workers", "0", DATA_DIR=str(tmp_path)).exit_code == 2
    assert not served


def test_index_does_nothing_the_second_time(data_dir: Path, engine: object) -> None:
    result = run("index", DATA_DIR=str(data_dir))
    assert result.exit_code == 0, result.output
    assert "up to date" in result.stderr


def test_without_a_command_it_tells_what_there_is() -> None:
    for arguments in ((), ("--help",), ("corpus", "--help"), ("serve", "--help")):
        result = run(*arguments)
        assert "Usage" in result.output
        assert "Traceback" not in result.output
