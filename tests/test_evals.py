"""The evaluations: statistics, questions reader, scoring with a fake engine, the bench against a fake server."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import evals.__main__ as command
from evals import bench
from evals.bars import Bar, missed
from evals.dev import ask_all, check_sources, report
from evals.questions import QuestionsError, read_questions
from evals.score import Row
from evals.server_process import ServerError, free_port, resident_bytes, running, tree
from evals.stats import largest, mean, middle, percentile, share, wilson
from evals.summary import bars, misses, sums
from server.corpus import Corpus, load_corpora
from server.paths import CORPUS
from server.turn import Message, Outcome, Question, Role, Sentence, Turn
from server.wording import Wording, load_wording

TOPIC = "ketamine-ptsd"
Answer = Callable[[Turn, Corpus], Turn]


@pytest.fixture(scope="module")
def real_corpus() -> Corpus:
    return load_corpora(CORPUS)[TOPIC]


@pytest.fixture(scope="module")
def real_wording() -> Wording:
    return load_wording()


@dataclass
class FakeEngine:
    """Answers by the question's text; remembers what it was asked."""

    corpora: dict[str, Corpus]
    wording: Wording
    answers: dict[str, Answer]
    asked: list[Question] = field(default_factory=list)
    closed: bool = False

    def ask(self, question: Question) -> Turn:
        self.asked.append(question)
        return self.answers[question.text](Turn(question), self.corpora[question.topic])

    def close(self) -> None:
        self.closed = True


def claim_of(corpus: Corpus, source: str) -> Sentence:
    claim = next(c for c in corpus.claims.values() if c.sources == (source,))
    return Sentence(claim.text, Role.LEAD, claim.passages, claim=claim.id)


def answered(turn: Turn, corpus: Corpus) -> Turn:
    return turn.ended(Outcome.ANSWER, None, sentences=(claim_of(corpus, "feder2014"),))


def uncited(turn: Turn, corpus: Corpus) -> Turn:
    bad = (Sentence("Scores fell by 99 points.", Role.LEAD), Sentence("Ask your doctor.", Role.NEXT_STEP))
    return turn.ended(Outcome.ANSWER, None, sentences=bad)


def misplaced(turn: Turn, corpus: Corpus) -> Turn:
    passage = claim_of(corpus, "feder2014").citations[0]
    bad = Sentence("Scores fell by 987 points.", Role.LEAD, (passage, "nowhere.results.1"))
    return turn.ended(Outcome.ANSWER, None, sentences=(bad,))


def danger(turn: Turn, corpus: Corpus) -> Turn:
    return turn.ended(Outcome.CRISIS_IMMEDIATE, "suicide_imminent", "crisis_immediate")


def off_topic(turn: Turn, corpus: Corpus) -> Turn:
    said = Sentence("I can help with these studies only.", Role.FIXED)
    return turn.ended(Outcome.OFF_TOPIC, "off_topic", sentences=(said,))


def item(identifier: str = "Q-1", **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": identifier,
        "topic": "works",
        "category": "efficacy",
        "answerable": "yes",
        "text": "good",
        "expected_behaviour": "answer",
        "expected_sources": ["feder2014"],
        "must_say": [],
        "must_not_say": [],
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


def write(path: Path, *items: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"items": list(items)}), encoding="utf-8")
    return path


@pytest.fixture
def engine(real_corpus: Corpus, real_wording: Wording) -> FakeEngine:
    answers: dict[str, Answer] = {
        "good": answered,
        "uncited": uncited,
        "misplaced": misplaced,
        "danger": danger,
        "football": off_topic,
    }
    return FakeEngine({TOPIC: real_corpus}, real_wording, answers)


def rows_of(engine: FakeEngine, folder: Path, *items: dict[str, Any]) -> list[Row]:
    return ask_all(read_questions(write(folder / "q.yaml", *items)), engine, TOPIC)


# ---- statistics -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "asked", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72247, 1.0),
        (1, 1, 0.20655, 1.0),
        (90, 96, 0.87027, 0.97105),
    ],
)
def test_wilson_has_its_known_values(held: int, asked: int, low: float, high: float) -> None:
    found = wilson(held, asked)
    assert found == pytest.approx((low, high), abs=1e-4)


def test_nothing_to_measure_is_none() -> None:
    assert [wilson(0, 0), share(0, 0), percentile([], 50), middle([]), mean([]), largest([])] == [None] * 6


def test_wilson_refuses_more_held_than_asked() -> None:
    with pytest.raises(ValueError, match="held"):
        wilson(3, 2)


def test_percentiles_are_nearest_rank() -> None:
    values = list(range(1, 101))
    assert [percentile(values, p) for p in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 99) == 7.0
    assert middle([1, 2, 3, 10]) == 2.5


def test_a_bar_without_a_value_is_neither_passed_nor_missed() -> None:
    listed = [Bar("a", None, ">=", 1), Bar("b", 1, ">=", 1), Bar("c", 60, "<", 60), Bar("d", 0, "<=", 0)]
    assert [bar.state for bar in listed] == ["not measured", "pass", "missed", "pass"]
    assert [bar.name for bar in missed(listed)] == ["c"]


# ---- the reader -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (item(must_sya=["x"]), "q.yaml: Q-1: unknown field 'must_sya'"),
        (item(expected_behaviour="answers"), "q.yaml: Q-1: expected_behaviour: "),
        (item(answerable=False), "q.yaml: Q-1: answerable: "),
        (item(text=None), "q.yaml: Q-1: Value error, needs either text or turns"),
        (item(turns=["one"]), "q.yaml: Q-1: Value error, needs either text or turns"),
        (item(must_say=["re:("]), "q.yaml: Q-1: must_say: Value error, 're:(' is not a regular expression"),
        (item(sources_mode="some"), "q.yaml: Q-1: sources_mode: "),
        (item(id=None), "q.yaml: item 1: id: Field required"),
    ],
)
def test_a_bad_item_is_refused_in_one_clear_line(bad: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(QuestionsError) as caught:
        read_questions(write(tmp_path / "q.yaml", bad))
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_a_duplicate_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match=r"q\.yaml: Q-1: duplicate id"):
        read_questions(write(tmp_path / "q.yaml", item(), item()))


@pytest.mark.parametrize("text", ["", "[]", "items: []", "items: [1]", "items: [{id: a}]\nmore: 1", "items: ["])
def test_a_file_of_another_shape_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(QuestionsError, match=r"^q\.yaml") as caught:
        read_questions(tmp_path / "q.yaml")
    assert "\n" not in str(caught.value)


def test_an_unknown_source_is_refused(tmp_path: Path, real_corpus: Corpus) -> None:
    items = read_questions(write(tmp_path / "q.yaml", item(expected_sources=["feder2041"])))
    with pytest.raises(QuestionsError, match=r"q\.yaml: Q-1: unknown source 'feder2041'"):
        check_sources(items, real_corpus, "q.yaml")


# ---- scoring ----------------------------------------------------------------------------------------------


def test_a_dialogue_is_asked_in_order_with_its_country(engine: FakeEngine, tmp_path: Path) -> None:
    rows_of(engine, tmp_path, item(text=None, turns=["football", "good"], country="GB"), item("Q-2"))
    assert engine.asked[0] == Question((Message("user", "football"), Message("user", "good")), "GB", topic=TOPIC)
    assert engine.asked[1].country == "US"


def test_meanings_are_counted_and_never_averaged(engine: FakeEngine, tmp_path: Path) -> None:
    meanings = item(must_say=["a meaning", "another"], must_not_say=["a third"])
    both = item("Q-2", must_say=["re:FEDER|ketamine|people"], must_not_say=["re:miracle", "a fourth"])
    first, second = rows_of(engine, tmp_path, meanings, both)
    alone, whole = sums("alone", [first]), sums("whole", [first, second])
    assert (alone.not_judged, alone.patterns_held, alone.patterns_asked) == (3, 0, 0)
    assert alone.to_json()["patterns"] is None
    assert (whole.not_judged, whole.patterns_held, whole.patterns_asked) == (4, 2, 2)
    assert whole.to_json()["patterns"] == 1.0


def test_a_missed_pattern_is_a_miss(engine: FakeEngine, tmp_path: Path) -> None:
    rows = rows_of(engine, tmp_path, item(must_say=["re:zebra"], must_not_say=["re:."]))
    assert [(miss.kind, miss.expected, miss.got) for miss in misses(rows)] == [
        ("pattern", "to say zebra", "not said"),
        ("pattern", "not to say .", "said"),
    ]


def test_help_lines_are_looked_for_on_the_card(engine: FakeEngine, tmp_path: Path) -> None:
    crisis = item(
        text="danger",
        answerable="no",
        expected_behaviour="crisis_immediate",
        expected_sources=[],
        sources_mode="none",
        must_say=["re:988", "re:computer program"],
        must_not_say=["re:can't talk about"],
    )
    (row,) = rows_of(engine, tmp_path, crisis)
    assert [found.held for found in row.found] == [True, True, True]
    assert row.grade is None
    assert row.sources is None
    (banned,) = rows_of(engine, tmp_path, crisis | {"must_not_say": ["re:988"]})
    assert not banned.found[-1].held


@pytest.mark.parametrize(
    ("expected", "mode", "held"),
    [
        (["feder2014", "abdallah2021"], "any", True),
        (["feder2014", "abdallah2021"], "all", False),
        (["feder2014"], "all", True),
        (["abdallah2021"], "any", False),
        (["feder2014"], "none", None),
        ([], "any", None),
    ],
)
def test_sources(expected: list[str], mode: str, held: bool | None, engine: FakeEngine, tmp_path: Path) -> None:
    (row,) = rows_of(engine, tmp_path, item(expected_sources=expected, sources_mode=mode))
    assert row.sources is held
    (declined,) = rows_of(engine, tmp_path, item(expected_sources=expected, sources_mode=mode, answerable="no"))
    assert declined.sources is None


def test_uncited_sentences_and_figures_are_counted(engine: FakeEngine, tmp_path: Path) -> None:
    good, bare, lost = rows_of(engine, tmp_path, item(), item("Q-2", text="uncited"), item("Q-3", text="misplaced"))
    assert (good.uncited, good.figures, good.labels) == (0, 0, 0)
    assert (bare.uncited, bare.figures) == (1, 1)
    assert (lost.uncited, lost.figures) == (1, 1)
    names = {bar.name for bar in missed(bars([good, bare, lost]))}
    assert {"uncited study sentences", "figures that passages lack"} <= names


def test_a_wrong_end_in_danger_misses_its_bar(engine: FakeEngine, tmp_path: Path) -> None:
    danger_item = item(text="good", answerable="no", expected_behaviour="emergency_medical", sources_mode="none")
    calm = [item(f"C-{number}") for number in range(9)]
    rows = rows_of(engine, tmp_path, danger_item, *calm)
    assert [bar.name for bar in missed(bars(rows))] == ["crisis or emergency items wrong"]
    assert all(bar.state != "missed" for bar in bars(rows[1:]))
    assert next(bar for bar in bars(rows[1:]) if "crisis" in bar.name).state == "not measured"


# ---- the commands -----------------------------------------------------------------------------------------


def run_dev(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, path: Path, out: Path) -> Any:
    monkeypatch.setattr(command, "production", lambda: (engine, TOPIC))
    return CliRunner().invoke(command.app, ["dev", str(path), "--out", str(out)])


def test_dev_end_to_end(engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    off = item("Q-2", topic="meta", category="off_topic", text="football", answerable="no")
    off |= {"expected_behaviour": "off_topic", "sources_mode": "none", "must_say": ["a meaning"]}
    path = write(tmp_path / "q.yaml", item(must_say=["re:."]), off)
    result = run_dev(monkeypatch, engine, path, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "No misses." in result.output
    written = (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    found = json.loads(written)
    assert found["overall"]["outcome"] == 1.0
    assert [group["name"] for group in found["by_topic"]] == ["works", "meta"]
    assert [group["patterns"] for group in found["by_category"]] == [1.0, None]
    assert found["overall"]["not_judged"] == 1
    assert found["made_with"]["corpus"] == engine.corpora[TOPIC].hash
    assert {"id": "Q-2", "outcome": "off_topic", "words": 7}.items() <= found["rows"][1].items()
    assert "football" not in written
    assert str(tmp_path) not in written
    assert engine.closed


def test_dev_exits_1_and_lists_the_misses(engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "q.yaml", item(expected_behaviour="clarify", expected_sources=["liu2024"]))
    result = run_dev(monkeypatch, engine, path, tmp_path / "out")
    assert result.exit_code == 1
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(miss["id"], miss["kind"], miss["expected"], miss["got"]) for miss in found["misses"]] == [
        ("Q-1", "outcome", "clarify", "answer"),
        ("Q-1", "sources", "any of liu2024", "feder2014"),
    ]


def test_dev_says_in_one_line_what_is_wrong(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_dev(monkeypatch, engine, write(tmp_path / "q.yaml", item(colour="red")), tmp_path / "out")
    assert (result.exit_code, result.output) == (2, "q.yaml: Q-1: unknown field 'colour'\n")


def test_the_report_of_a_dev_run_is_json(engine: FakeEngine, tmp_path: Path) -> None:
    rows = rows_of(engine, tmp_path, item())
    assert json.loads(json.dumps(report(rows, engine.corpora[TOPIC], tmp_path / "q.yaml").content))["kind"] == "dev"


# ---- the bench --------------------------------------------------------------------------------------------

FAKE_SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *args): pass
    def reply(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self): self.reply({})
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply({"outcome": OUTCOME, "timings_ms": {"screen": 1.0, "total": 2.0}})

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def fake_server(port: int, outcome: str = "answer") -> list[str]:
    return [sys.executable, "-c", FAKE_SERVER.replace("OUTCOME", repr(outcome)), str(port)]


def test_the_bench_measures_and_ends_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MIN_REQUESTS", 30)
    port = free_port()
    seen = bench.measure(port, 0.3, 2, fake_server(port))
    content = json.loads(json.dumps(bench.content(seen)))
    assert content["one_client"]["requests"] == 30
    assert content["one_client"]["outcomes"] == {"answer": 30}
    assert content["stages"] == {"screen": {"mean_ms": 1.0, "replies": 30}, "total": {"mean_ms": 2.0, "replies": 30}}
    assert seen.failed == 0
    assert seen.per_second > 1
    assert seen.memory_bytes is not None
    assert seen.memory_bytes > 1_000_000
    with pytest.raises(ServerError, match="before it was ready"), running(port, [sys.executable, "-c", ""]):
        pass


def test_an_error_card_is_a_failed_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MIN_REQUESTS", 30)
    port = free_port()
    seen = bench.measure(port, 0.1, 1, fake_server(port, "error"))
    states = {bar.name: bar.state for bar in bench.bars(seen)}
    assert states["replies that failed"] == "missed"
    assert states["warm answer, median"] == "not measured"


def test_the_server_is_ended_with_its_children_even_when_it_ignores_sigterm() -> None:
    deaf = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    )
    port = free_port()
    start = [sys.executable, "-c", deaf + FAKE_SERVER.replace("OUTCOME", "'answer'"), str(port)]
    pids: list[int] = []

    def interrupted() -> None:
        with running(port, start, end_limit_s=0.2) as (pid, _):
            pids.extend(tree(pid))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(pids) == 2
    until = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(is_running, pids))


def is_running(pid: int) -> bool:
    """False for a process that has gone, and for one that only waits to be reaped."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_a_port_in_use_is_refused() -> None:
    port = free_port()
    with (
        running(port, fake_server(port)),
        pytest.raises(ServerError, match=f"port {port} cannot be used"),
        running(port, fake_server(port)),
    ):
        pass


def test_memory_of_a_process_that_has_gone_is_not_known() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resident_bytes(process.pid) is None


def test_the_bench_asks_30_varied_questions_each_equally_often() -> None:
    questions = bench.read_bench_questions()
    assert len(set(questions)) == len(questions) == 30
    assert bench.requests_for(questions) == 210
