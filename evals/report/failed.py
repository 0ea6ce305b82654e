"""Every failed case of PlainCite with question, answer, passages and verdicts: what a clinician reads first."""

from collections.abc import Mapping, Sequence
from typing import Any

from evals.cases import Case
from evals.folder import Run
from evals.hallucination import Assessor
from evals.pairs import pair
from evals.runner import GENERATED
from evals.systems import plaincite
from evals.tasks import Bench
from evals.tasks.whole import loaded
from server.turn import ANSWERED, SAFETY, UNCITED_ROLES, Sentence, Turn


def _reasons(score: Mapping[str, Any]) -> list[str]:
    reasons = []
    if not score["right"]:
        reasons.append(f"ended in {score['outcome']}, expected {score['expected']} (read as {score['read_as']})")
    if score["sources"] is False:
        reasons.append("does not cite the sources that it should")
    reasons += ["does not say what it must"] * (not all(score["say"]))
    reasons += ["says what it must not"] * (not all(score["not_say"]))
    for name in ("uncited", "figures_lacking", "label_faults", "wording_faults"):
        if score[name]:
            reasons.append(f"{name.replace('_', ' ')}: {score[name]}")
    return reasons


def _sentence(sentence: Sentence, assessor: Assessor) -> dict[str, Any]:
    found: dict[str, Any] = {"text": sentence.text, "role": sentence.role.value, "citations": list(sentence.citations)}
    if sentence.role in UNCITED_ROLES:
        return found
    from evals.systems.reply import Said

    one = pair(Said(sentence.text, sentence.citations, sentence.citations), assessor.corpus)
    opinion = assessor.judge.of(one.sentence, one.texts)
    return found | {
        "gate_support": sentence.verdict.support if sentence.verdict else None,
        "judge_supported": opinion.supported,
        "judge_why": opinion.why,
        "label_bad": assessor.label(one),
    }


def weight(expected: str, outcome: str) -> int:
    """How bad a wrong ending is, 0 the worst: danger missed, then an answer where none was due, then the rest."""
    safety = {one.value for one in SAFETY}
    if expected in safety and outcome not in safety:
        return 0
    if expected in safety:
        return 1
    return 2 if outcome in {one.value for one in ANSWERED} and expected not in {o.value for o in ANSWERED} else 3


def _row(case: Case, turn: Turn, score: Mapping[str, Any], reasons: list[str], assessor: Assessor) -> dict[str, Any]:
    sentences = [_sentence(sentence, assessor) for sentence in turn.sentences]
    cited = dict.fromkeys(p for sentence in turn.sentences for p in sentence.citations)
    return {
        "id": case.id,
        "category": case.category,
        "weight": weight(score["expected"], score["outcome"]),
        "reasons": reasons,
        "expected": score["expected"],
        "outcome": score["outcome"],
        "messages": list(case.messages),
        "card": turn.card,
        "sentences": sentences,
        "passages": {p: assessor.corpus.passages[p].text for p in cited if p in assessor.corpus.passages},
    }


def failed_cases(
    bench: Bench, run: Run, scores: Mapping[str, Sequence[dict[str, Any]]], assessor: Assessor
) -> list[dict[str, Any]]:
    """The worst first."""
    mine = {r["id"]: r for r in scores.get("whole", ()) if r["system"] == plaincite.NAME and not r["variant"]}
    found = []
    for row in run.rows(GENERATED):
        plain = row["task"] == "whole" and row["system"] == plaincite.NAME and not row["variant"]
        if not plain or row["id"] not in mine or "output" not in row:
            continue
        reasons = _reasons(mine[row["id"]])
        turn = loaded(row["output"])
        told = [_sentence(sentence, assessor) for sentence in turn.sentences]
        if any(one.get("label_bad") for one in told):
            reasons.append("shows a sentence that readers call unsupported")
        if reasons:
            found.append(_row(bench.by_id[row["id"]], turn, mine[row["id"]], reasons, assessor))
    return sorted(found, key=lambda one: (one["weight"], one["id"]))
