"""A run from start to report: settings, models and judge opened once, then generate, score, assess, write."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.cases import OPEN_FILES, open_cases
from evals.cases.read import check_known
from evals.folder import Run, write_json
from evals.hallucination import Assessor
from evals.judges import load_judge
from evals.labels import read_labels
from evals.opinions import Opinions
from evals.report.content import build, sha256_of
from evals.report.html import write_html
from evals.runner import generate, planned, score
from evals.server_process import ROOT
from evals.systems import rag
from evals.systems.production import Production, production
from evals.tasks import TASKS, Bench, task
from evals.thresholds import failed, read_thresholds
from server.llm import has_local, load_chat, local_chat
from server.verify.stage import Verify

REPEATS = 5
ASKED: dict[str, Any] = {"max_tokens": 100, "seed": 1, "temperature": 0.0, "frequency_penalty": 0.5}
QUICK_LEAVES_OUT = frozenset({"scifact", "bench", "lockbox"})


def program_files() -> list[Path]:
    """What decides a reply: the program, its models, the corpus, prompts and words."""
    folders = (ROOT / name for name in ("server", "corpus", "prompts", "web/wording", "evals/systems"))
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


@dataclass(frozen=True)
class Wanted:
    """What a run was asked for. No task named: all of them."""

    tasks: tuple[str, ...] = ()
    quick: bool = False
    judge: str = "offline"
    scifact: Path | None = None
    models: dict[str, Any] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """The run's settings: a run folder is taken up again only with the same ones."""
        return {
            "tasks": list(self.tasks),
            "quick": self.quick,
            "judge": self.judge,
            "scifact": self.scifact is not None,
            "baselines": sorted(self.models),
            "asked": {name: ASKED[name] for name in sorted(ASKED)} if self.models else {},
            "repeats": REPEATS,
            "cases_sha256": sha256_of(OPEN_FILES),
            "program_sha256": sha256_of(program_files()),
        }


@contextmanager
def baseline_models(quick: bool) -> Iterator[dict[str, Any]]:
    """The chat models of the baselines by system; none in a quick run or without `make local`."""
    if quick or not has_local():
        yield {}
        return
    with local_chat(**ASKED) as chat:
        model = load_chat(chat)
        yield {rag.RAG: model, rag.CLOSED_BOOK: model}


def bench_of(made: Production, wanted: Wanted) -> Bench:
    """The open cases on the production path. Raises CasesError."""
    cases = open_cases()
    check_known(cases, made.corpus)
    return Bench(made, cases, wanted.quick, wanted.scifact, REPEATS, wanted.models)


def assess(bench: Bench, run: Run, judge: str, not_run: dict[str, str]) -> dict[str, Any]:
    """Scores, judges and writes the report, from what was generated."""
    scores = score(bench, run)
    gate = bench.production.stages["verify"]
    assert isinstance(gate, Verify)
    with load_judge(judge) as loaded:
        assessor = Assessor(bench.production.corpus, gate, Opinions(loaded, run), read_labels())
        report = build(bench, run, scores, not_run, assessor)
    write_json(run.folder / "report.json", report)
    write_html(run.folder, report, failed(report, read_thresholds()))
    return report


def execute(folder: Path, wanted: Wanted) -> dict[str, Any]:
    """A whole run in the folder; one that was broken off goes on where it stopped. Returns the report."""
    run = Run(folder)
    with ExitStack() as stack:
        models = wanted.models or stack.enter_context(baseline_models(wanted.quick))
        full = Wanted(wanted.tasks, wanted.quick, wanted.judge, wanted.scifact, models)
        run.begin(full.config())
        bench = bench_of(stack.enter_context(production()), full)
        not_run = generate(bench, [task(name) for name in full.tasks or TASKS], run)
        if not models:
            not_run["baselines"] = "left out of a quick run" if wanted.quick else "the local model is not installed"
        return assess(bench, run, full.judge, not_run)


def rescore(run: Run, judge: str | None, scifact: Path | None) -> dict[str, Any]:
    """The report anew from what the run generated, with another judge if asked."""
    config = run.config
    named = judge or str(config["judge"])
    wanted = Wanted(tuple(config["tasks"]), bool(config["quick"]), named, scifact)
    with production() as made:
        bench = bench_of(made, wanted)
        _, not_run = planned(bench, [task(name) for name in _left_out(config["tasks"])])
        return assess(bench, run, named, not_run)


def _left_out(tasks: Sequence[str]) -> list[str]:
    return [name for name in tasks or TASKS if name in QUICK_LEAVES_OUT]
