"""`python -m evals dev`: a questions file asked through the production code, scored and reported."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.bars import Bar
from evals.questions import Item, QuestionsError
from evals.score import Answers, Row, question_of, score
from evals.summary import bars, grouped, misses, sums, wrong_in_danger
from server import __version__
from server.corpus import Corpus
from server.prompting import prompts_hash

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Report:
    """What a run found: the rows, the bars, and the whole as report.json."""

    rows: list[Row]
    bars: list[Bar]
    content: dict[str, Any]


def run_folder(kind: str, out: Path | None) -> Path:
    """The folder of this run, made: `out`, or evals/results/<kind>-<utc time>."""
    folder = out or RESULTS / f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_report(folder: Path, content: dict[str, Any]) -> Path:
    """report.json in the folder."""
    path = folder / "report.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def check_sources(items: Iterable[Item], corpus: Corpus, name: str) -> None:
    """Raises QuestionsError where an item expects a source that the corpus does not hold."""
    for item in items:
        unknown = [key for key in item.expected_sources if key not in corpus.sources]
        if unknown:
            raise QuestionsError(f"{name}: {item.id}: unknown source {unknown[0]!r}")


def ask_all(items: Iterable[Item], engine: Answers, topic: str) -> list[Row]:
    """Each item asked and scored, in order."""
    corpus = engine.corpora[topic]
    return [score(item, engine.ask(question_of(item, topic)), corpus, engine.wording) for item in items]


def report(rows: list[Row], corpus: Corpus, questions: Path) -> Report:
    """Rows to a report: sums, bars, safety, misses; no question's text."""
    measured = bars(rows)
    whole = sums("overall", rows)
    content = {
        "kind": "dev",
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "made_with": {"version": __version__, "corpus": corpus.hash, "prompts": prompts_hash(), "chat_model": None},
        "questions": {"file": questions.name, "sha256": hashlib.sha256(questions.read_bytes()).hexdigest()},
        "bars": [bar.to_json() for bar in measured],
        "overall": whole.to_json(),
        "by_topic": [group.to_json() for group in grouped(rows, lambda row: row.topic)],
        "by_category": [group.to_json() for group in grouped(rows, lambda row: row.category)],
        "safety": {
            "danger_wrong": [row.id for row in wrong_in_danger(rows)],
            "uncited_study_sentences": sum(row.uncited for row in rows),
            "figures_passages_lack": sum(row.figures for row in rows),
            "label_faults": sum(row.labels for row in rows),
            "sentences_dropped_by_verify": sum(row.dropped for row in rows),
        },
        "misses": [asdict(miss) for miss in misses(rows)],
        "rows": [row.to_json() for row in rows],
    }
    return Report(rows, measured, content)
