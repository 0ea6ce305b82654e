"""Verify: each check against planted errors. A planted sentence goes straight to the stage, beside true ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from evals.cases import CasesError
from evals.jsonl import read_lines
from evals.stats import share
from evals.tasks.base import Bench, Output, Sample, Score
from evals.tasks.screen import counted
from server.corpus import Corpus
from server.turn import Role, Sentence
from server.verify.stage import Verify

PLANTED = Path(__file__).resolve().parent.parent / "cases" / "planted.jsonl"
CHECKS = ("support", "figures", "labels", "wording")
TRUE = "true"
Kind = Literal[
    "figure_swapped",
    "arm_swapped",
    "negation",
    "direction",
    "population",
    "animal_as_human",
    "certainty_raised",
    "drug_swapped",
    "added_clause",
    "wrong_passage",
]


class PlantedError(BaseModel):
    """A reviewed claim with one error put in, and the passages that it cites."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: Kind
    claim: str
    text: str
    passages: tuple[str, ...]
    note: str = ""


def planted_errors(path: Path = PLANTED) -> dict[str, PlantedError]:
    """By id. Raises CasesError that names file and line."""
    return {one.id: one for _, one in read_lines(path, PlantedError, CasesError)}


def beside(sentence: Sentence, corpus: Corpus) -> tuple[Sentence, ...]:
    """The other claims of its sources: an answer's rest, which carries the words that labels demand once."""
    sources = {corpus.passages[p].source for p in sentence.citations if p in corpus.passages}
    return tuple(
        Sentence(claim.text, Role.POINT, claim.passages, claim=claim.id, certainty=claim.certainty)
        for claim in corpus.claims.values()
        if set(claim.sources) <= sources and claim.id != sentence.claim
    )


class VerifyTask:
    """Planted errors should be dropped, reviewed claims kept."""

    name = "verify"

    def __init__(self) -> None:
        self._planted = planted_errors()

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """Every planted error, and every reviewed claim as it stands; the planted are scored in one go here."""
        stage: Any = bench.production.stages["verify"]
        stage.ask_ahead([self._sentence(bench, key) for key in self._planted])
        return [Sample(key) for key in (*self._planted, *bench.production.corpus.claims)]

    def _sentence(self, bench: Bench, key: str) -> Sentence:
        claims, planted = bench.production.corpus.claims, self._planted.get(key)
        claim = claims[planted.claim if planted else key]
        if planted is None:
            return Sentence(claim.text, Role.POINT, claim.passages, claim=claim.id, certainty=claim.certainty)
        return Sentence(planted.text, Role.POINT, planted.passages, claim=claim.id, certainty=claim.certainty)

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """The stage's verdict on the sentence, and whether it would be shown."""
        stage: Any = bench.production.stages["verify"]
        assert isinstance(stage, Verify)
        sentence = self._sentence(bench, sample.id)
        kept, dropped = stage.checked((sentence, *beside(sentence, bench.production.corpus)))
        mine = next(
            one for one in (*kept, *dropped) if one.text == sentence.text and one.citations == sentence.citations
        )
        assert mine.verdict is not None
        verdict = mine.verdict
        return {
            "support": verdict.support,
            "figures": verdict.figures,
            "labels": verdict.labels,
            "wording": verdict.wording,
            "supported": verdict.supported,
            "kept": mine in kept,
        }

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """Which checks object, and whether one of them was right to."""
        planted = self._planted.get(sample.id)
        support = output["support"]
        return {
            "kind": planted.kind if planted else TRUE,
            "support_score": support,
            "support": not output["supported"],
            **{check: not output[check] for check in CHECKS[1:]},
            "dropped": not output["kept"],
        }

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """Each check's precision and recall, and what share of each kind of error is dropped."""
        errors = [row for row in scores if row["kind"] != TRUE]
        kinds = dict.fromkeys(row["kind"] for row in errors)
        checks = {}
        for check in (*CHECKS, "dropped"):
            objected = [row for row in scores if row[check]]
            right = sum(row["kind"] != TRUE for row in objected)
            checks[check] = {
                "precision": share(right, len(objected)),
                "recall": counted([row[check] for row in errors]),
                "false_alarms": counted([row[check] for row in scores if row["kind"] == TRUE]),
            }
        return {
            "planted": len(errors),
            "true": len(scores) - len(errors),
            "checks": checks,
            "by_kind": {
                kind: {
                    "dropped": counted([row["dropped"] for row in errors if row["kind"] == kind]),
                    **{check: sum(row[check] for row in errors if row["kind"] == kind) for check in CHECKS},
                }
                for kind in kinds
            },
        }
