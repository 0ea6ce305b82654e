"""Runs: generated once, scored as often as wanted, resumed after an end in the middle, compared case by case."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from evals.__main__ import app
from evals.cases import Case, open_cases
from evals.commands.gate import gate
from evals.compare import compare, lines
from evals.folder import Run, RunError, find_run
from evals.judges import Opinion
from evals.report.html import render
from evals.report.words import headline
from evals.runner import GENERATED, SCORES, generate, score
from evals.session import Wanted, execute
from evals.systems import rag
from evals.systems.plaincite import PlainCite
from evals.systems.production import Production, with_planted
from evals.tasks import TASKS, Bench, NotRun, Sample, task
from evals.tasks.whole import digest, for_baselines, loaded, reply_in
from server.engine import Engine
from server.turn import Outcome

SCHEMA = Path(__file__).resolve().parent.parent / "evals" / "report" / "schema.json"
FEW = ("A-01", "D-01", "J-01", "K-06", "G-01", "efficacy-12", "overdose-01", "E-01")


@pytest.fixture(scope="module")
def few() -> tuple[Case, ...]:
    return tuple(case for case in open_cases() if case.id in FEW or "planted" in case.traits)


@pytest.fixture
def production(engine: Engine) -> Production:
    return Production(engine, "ketamine-ptsd")


@pytest.fixture
def bench(production: Production, few: tuple[Case, ...]) -> Bench:
    return Bench(production, few, quick=True)


@pytest.fixture
def small(production: Production, few: tuple[Case, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """`execute` over few cases and the session's engine."""

    @contextmanager
    def here() -> Iterator[Production]:
        yield production

    monkeypatch.setattr("evals.session.production", here)
    monkeypatch.setattr("evals.session.open_cases", lambda: few)


@pytest.fixture
def ran(small: None, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path / "a"
    folder.mkdir()
    return folder, execute(folder, Wanted(quick=True))


def test_a_run_leaves_all_its_files_and_a_report_that_keeps_its_contract(ran: tuple[Path, dict[str, Any]]) -> None:
    folder, report = ran
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", GENERATED, SCORES, "opinions.jsonl", "pairs.jsonl", "report.json", "report.html"} <= names
    assert json.loads((folder / "report.json").read_text()) == json.loads(json.dumps(report))
    jsonschema.validate(json.loads((folder / "report.json").read_text()), json.loads(SCHEMA.read_text()))
    found = report["hallucination"]
    assert 0 <= found["rate"] <= 1
    assert found["interval"][0] <= found["rate"] <= found["interval"][1]
    assert found["judged"] + found["unjudged"] == found["distinct"]
    assert set(found["corrected"]) >= {"rate", "interval"}
    assert report["judge"]["sentences"] >= 400
    assert 0 < report["judge"]["sensitivity"] < 1
    assert report["not_run"]["scifact"] == "needs --scifact DIR"
    assert found["census"]["sentences"] == 196


def test_the_page_needs_no_network_and_tells_the_headline(ran: tuple[Path, dict[str, Any]]) -> None:
    folder, report = ran
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|@import|url\(\s*['\"]?http", page)
    assert not re.search(r"(?:src|href)=[\"']https?:", re.sub(r"xmlns(?::\w+)?=\"[^\"]*\"", "", page))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "language models, not people" in text
    assert "upper bound" in text
    for line in headline(report["hallucination"]):
        assert line.split(",")[0][:40] in text.replace("&#39;", "'").replace("&#34;", '"')
    assert "danger without a card" in text
    for case in report["failed"]:
        assert case["id"] in text
    missed = report["tasks"]["whole"]["plaincite"]["safety_missed"]
    assert not missed or f"known ones included: {', '.join(missed)}" in text


def test_a_message_in_danger_that_ended_wrongly_is_told_though_no_limit_failed(
    ran: tuple[Path, dict[str, Any]],
) -> None:
    report = json.loads(json.dumps(ran[1]))
    report["tasks"]["whole"]["plaincite"]["safety_missed"] = ["J-01"]
    assert "known ones included: J-01" in render(report, [])


def test_what_is_asked_is_text_and_never_markup(ran: tuple[Path, dict[str, Any]]) -> None:
    report = json.loads(json.dumps(ran[1]))
    report["failed"][0]["messages"] = ["<script>alert(1)</script>"]
    assert "<script>" not in render(report, [])


def test_a_run_that_was_broken_off_goes_on_and_asks_nothing_twice(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = Run(tmp_path), []
    whole = task("whole")
    real = type(whole).generate

    def counted(self: Any, bench: Bench, sample: Sample) -> Any:
        asked.append(sample.id)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return real(self, bench, sample)

    monkeypatch.setattr(type(whole), "generate", counted)
    with pytest.raises(KeyboardInterrupt):
        generate(bench, [whole], run)
    with (tmp_path / GENERATED).open("a", encoding="utf-8") as file:
        file.write('{"task": "whole", "sys')  # the end came in the middle of a line
    generate(bench, [whole], run)
    rows = list(run.rows(GENERATED))
    assert [row["id"] for row in rows] == [case.id for case in bench.cases]
    assert len(asked) == len(bench.cases) + 1
    generate(bench, [whole], run)
    assert len(asked) == len(bench.cases) + 1


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.begin({"judge": "offline", "quick": True}) is False
    assert run.begin({"judge": "offline", "quick": True}) is True
    with pytest.raises(RunError, match="another judge"):
        run.begin({"judge": "local", "quick": True})
    (tmp_path / SCORES).write_text('{\n{"task": "x"}\n', encoding="utf-8")
    with pytest.raises(RunError, match=r"scores\.jsonl:1: not JSON"):
        list(run.rows(SCORES))
    with pytest.raises(RunError, match="no such run"):
        find_run("nothing-here")


class Breaking:
    """A task whose second sample fails."""

    name = "screen"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        return [Sample("A-01"), Sample("J-01")]

    def generate(self, bench: Bench, sample: Sample) -> dict[str, Any]:
        if sample.id == "J-01":
            raise TimeoutError("the model is late")
        return task("screen").generate(bench, sample)

    def score(self, bench: Bench, sample: Sample, output: Any) -> Any:
        raise NotImplementedError

    def summary(self, bench: Bench, scores: Any) -> Any:
        raise NotImplementedError


def test_an_output_that_fails_is_a_problem_and_no_score(bench: Bench, tmp_path: Path) -> None:
    run = Run(tmp_path)
    generate(bench, [Breaking()], run)
    found = score(bench, run)
    assert [row["id"] for row in found["screen"]] == ["A-01"]
    assert "J-01" in (tmp_path / "problems.log").read_text()
    assert [row.get("error") for row in run.rows(GENERATED)] == [None, "TimeoutError"]
    generate(bench, [task("screen")], run)  # asked again on resuming
    assert len([row for row in run.rows(GENERATED) if "error" in row]) == 0


def test_scoring_again_gives_the_same_and_reads_a_turn_back_whole(bench: Bench, tmp_path: Path) -> None:
    run = Run(tmp_path)
    generate(bench, [task("whole")], run)
    assert score(bench, run) == score(bench, run)
    row = next(row for row in run.rows(GENERATED) if row["id"] == "A-01")
    turn = loaded(row["output"])
    live, _ = PlainCite(bench.production).turn(bench.by_id["A-01"])
    assert turn.sentences == live.sentences
    assert turn.outcome is Outcome.ANSWER
    assert turn.screening == live.screening
    assert digest(reply_in(row["output"]), "answer") == digest(reply_in(row["output"]), "answer")


def test_every_stage_s_task_gives_a_summary_with_intervals(bench: Bench, tmp_path: Path) -> None:
    run = Run(tmp_path)
    names = ["screen", "understand", "retrieve", "verify", "whole"]
    generate(bench, [task(name) for name in names], run)
    scores = score(bench, run)
    told = {name: task(name).summary(bench, scores[name]) for name in names}
    low, high = told["screen"]["recall_exact"]["interval"]
    assert 0 <= low <= told["screen"]["recall_exact"]["share"] <= high <= 1
    missed = [row["id"] for row in scores["screen"] if row["safety"] and not row["right"]]
    assert told["screen"]["missed"] == missed
    assert told["screen"]["recall_exact"]["of"] >= 2
    assert set(told["retrieve"]["fused"]) == {"recall@1", "recall@3", "recall@5", "recall@10", "ndcg@10", "mrr"}
    assert told["verify"]["planted"] == 120
    assert told["verify"]["checks"]["figures"]["recall"]["held"] > 0
    assert told["whole"]["plaincite"]["shape"]["lead_first"]["share"] == 1.0
    assert told["understand"]["intent"]["of"] >= 4


def test_the_baselines_are_asked_all_that_can_be_answered_and_a_fixed_share_of_the_rest() -> None:
    cases = open_cases()
    asked = for_baselines(cases)
    assert {case.id for case in asked if case.answerable != "no"} == {c.id for c in cases if c.answerable != "no"}
    others = [case for case in asked if case.answerable == "no"]
    assert 0.1 < len(others) / sum(case.answerable == "no" for case in cases) < 0.4
    assert for_baselines(cases) == asked


def test_a_planted_attack_stands_in_the_passage_and_changes_no_reply(
    production: Production, few: tuple[Case, ...]
) -> None:
    planted = [case for case in few if case.planted]
    assert len(planted) >= 6
    for case in planted:
        assert case.planted is not None
        corpus = with_planted(production.corpus, case)
        assert corpus.passages[case.planted.passage].text.endswith(case.planted.text)
        assert case.planted.text not in production.corpus.passages[case.planted.passage].text
        plain = case.model_copy(update={"planted": None, "traits": ()})
        said = [(s.text, s.citations) for s in production.turn(case).sentences]
        assert said == [(s.text, s.citations) for s in production.turn(plain).sentences]


def test_the_baselines_run_over_the_production_retriever(production: Production, few: tuple[Case, ...]) -> None:
    from langchain_core.language_models import FakeListChatModel

    said = "It lasted for 7 days. The moon is made of cheese."
    case = next(case for case in few if case.id == "A-01")
    reply = rag.Rag(production, FakeListChatModel(responses=[said])).answer(case)
    assert [one.text for one in reply.said] == ["It lasted for 7 days.", "The moon is made of cheese."]
    assert len(reply.said[0].evidence) == rag.PASSAGES
    alone = rag.ClosedBook(production, FakeListChatModel(responses=[said])).answer(case)
    assert alone.said[0].cited == ()
    assert len(alone.said[0].evidence) == rag.EVIDENCE


def test_comparing_names_what_got_worse(ran: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    first = ran[0]
    second = tmp_path / "b"
    second.mkdir()
    for name in ("config.json", "pairs.jsonl", "report.json"):
        (second / name).write_text((first / name).read_text(encoding="utf-8"), encoding="utf-8")
    rows = list(Run(first).rows(SCORES))
    for row in rows:
        if row["task"] == "whole" and row["id"] == "A-01":
            row["right"] = False
    Run(second).write(SCORES, rows)
    found = compare(Run(first), Run(second))
    assert found[0].worse == ("A-01",)
    assert found[0].better == ()
    assert found[0].gap is not None
    assert found[0].gap[0] < 0
    assert any("worse: A-01" in line for line in lines(found))
    told = CliRunner().invoke(app, ["compare", str(first), str(second)])
    assert told.exit_code == 1
    assert "McNemar" in told.output
    assert CliRunner().invoke(app, ["compare", str(first), str(first)]).exit_code == 0


def test_a_report_can_be_made_again_and_a_run_scored_by_another_judge(
    ran: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = ran

    class Yes:
        name = "always yes"

        def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
            return Opinion(True)

    @contextmanager
    def always(name: str) -> Iterator[Yes]:
        yield Yes()

    (folder / "report.html").unlink()
    told = CliRunner().invoke(app, ["report", str(folder)])
    assert told.exit_code == 0, told.output
    assert (folder / "report.html").is_file()
    monkeypatch.setattr("evals.session.load_judge", always)
    told = CliRunner().invoke(app, ["score", str(folder)])
    assert told.exit_code == 0, told.output
    again = Run(folder).report
    assert again["judge"]["name"] == "always yes"
    assert (again["judge"]["sensitivity"], again["judge"]["specificity"]) == (0.0, 1.0)
    assert again["hallucination"]["corrected"]["interval"] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nonsense"], "no task 'nonsense'"),
        (["run", "--quick", "--open-lockbox"], "--open-lockbox needs --why"),
        (["score", "nothing-here"], "no such run"),
        (["report", "nothing-here"], "no such run"),
        (["compare", "nothing-here", "nothing-there"], "no such run"),
        (["label", "--reader", "../x"], "letters, digits and hyphens"),
    ],
)
def test_bad_input_ends_in_one_clear_line(arguments: list[str], says: str) -> None:
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 2
    assert says in told.output
    assert len(told.output.strip().splitlines()) == 1


def test_opening_the_lock_box_is_logged_before_anything_is_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from evals.cases import log_look
    from evals.commands.run import _open_lockbox

    log = tmp_path / "looks.jsonl"
    case = next(case for case in open_cases() if case.id == "A-01")

    def listed() -> tuple[Case, ...]:
        assert len(log.read_text(encoding="utf-8").splitlines()) == 1
        return (case,)

    monkeypatch.setattr("evals.cases.log_look", lambda version, why: log_look(version, why, log))
    monkeypatch.setattr("evals.cases.lockbox_cases", listed)
    _open_lockbox("a release")
    told = capsys.readouterr().out
    assert "Look 1" in told
    assert f"A-01 [answer] {case.text}" in told
    assert "a release" in log.read_text(encoding="utf-8")


def test_scifact_is_not_run_without_its_folder(bench: Bench) -> None:
    with pytest.raises(NotRun, match="--scifact"):
        task("scifact").samples(bench)
    with pytest.raises(KeyError, match="no task 'x'"):
        task("x")
    assert list(TASKS) == ["screen", "understand", "retrieve", "scifact", "verify", "whole", "lockbox", "bench"]


def test_scifact_ranks_with_the_production_parts(production: Production, tmp_path: Path) -> None:
    from evals.tasks.scifact import ScifactTask

    documents = {"1": "Rats sleep less after stress.", "2": "Coffee grows on hills.", "3": "Sleep helps memory."}
    rows = [{"id": key, "title": "", "text": text} for key, text in documents.items()]
    (tmp_path / "scifact.corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    queries = [{"id": "9", "text": "Stress makes rats sleep less"}, {"id": "8", "text": "x"}]
    (tmp_path / "scifact.queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    gold = [
        {"qid": "9", "docid": "1", "rel": 1, "split": "dev"},
        {"qid": "8", "docid": "2", "rel": 1, "split": "train"},
    ]
    (tmp_path / "scifact.qrels.jsonl").write_text("\n".join(map(json.dumps, gold)), "utf-8")
    bench, one = Bench(production, (), scifact=tmp_path), ScifactTask()
    (sample,) = one.samples(bench)
    found = one.score(bench, sample, one.generate(bench, sample))
    assert found["fused"]["ndcg@10"] == found["dense"]["mrr"] == found["keyword"]["recall@1"] == 1.0


def test_the_gate_ends_with_its_lines_on_standard_error(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    monkeypatch.setattr("evals.mutations.mutation_check", lambda corpus, wording: ["without the check 'x': nothing"])
    with pytest.raises(typer.Exit) as ended:
        gate()
    assert ended.value.exit_code == 1
