"""`python -m evals dev`: a questions file asked through the production code, scored and reported."""

import hashlib
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


@dataclass(frozen=True)
class Report:
    """What a run found: the rows, the bars, and the whole as report.json."""

    rows: list[Row]
    bars: list[Bar]
    content: dict[str, Any]


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
