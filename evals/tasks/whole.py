"""Compose and whole: the finished reply of each system to each case, its shape, and whether it stays the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from pydantic import TypeAdapter

from evals.cases import Case
from evals.reply_score import reply_score, turn_score
from evals.systems import plaincite, rag, verbatim
from evals.systems.reply import Reply
from evals.tasks.base import Bench, Output, Sample, Score
from evals.tasks.whole_summary import summary
from server.turn import Turn

REORDERED = "reordered"
STABLE_CASES = 10
OTHERS = 4
_TURN: TypeAdapter[Turn] = TypeAdapter(Turn)
_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def for_baselines(cases: Sequence[Case]) -> list[Case]:
    """What the baselines are asked: every answerable case, and a quarter of the others, picked by a hash of the id."""
    return [
        c for c in cases if c.answerable != "no" or int(hashlib.sha256(c.id.encode()).hexdigest(), 16) % OTHERS == 0
    ]


def dumped(turn: Turn) -> dict[str, Any]:
    """The turn as JSON, without the query's vector."""
    slim = replace(turn.reading, vector=None) if turn.reading else None
    found: dict[str, Any] = _TURN.dump_python(turn.having(reading=slim), mode="json")
    return found


def loaded(output: Output) -> Turn:
    """The turn again."""
    return _TURN.validate_python(output["turn"])


def reply_in(output: Output) -> Reply:
    """The reply in an output, whichever system gave it."""
    return (
        plaincite.reply_of(loaded(output), output["ms"])
        if "turn" in output
        else _REPLY.validate_python(output["reply"])
    )


def digest(reply: Reply, outcome: str | None = None) -> str:
    """What has to stay the same when a case is asked again: outcome, text, and what is cited."""
    whole = json.dumps([outcome, reply.text, [said.cited for said in reply.said]], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


class WholeTask:
    """Every system's replies. PlainCite answers all cases; the baselines answer `for_baselines`."""

    name = "whole"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """PlainCite, its repeats, then the baselines that are installed."""
        found = [Sample(case.id) for case in bench.cases]
        variants = [] if bench.quick else [*(f"repeat-{n}" for n in range(1, bench.repeats)), REORDERED]
        found += [Sample(case.id, variant=variant) for variant in variants for case in bench.cases]
        if bench.quick:
            return found
        asked = for_baselines(bench.cases)
        for system in (verbatim.NAME, *bench.models):
            found += [Sample(case.id, system) for case in asked]
        if rag.RAG in bench.models:
            few = [case for case in asked if case.answerable == "yes"][:STABLE_CASES]
            found += [Sample(case.id, rag.RAG, variant) for variant in variants for case in few]
        return found

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """The finished turn, or the baseline's reply; of a variant only its digest."""
        case, turned = bench.by_id[sample.id], sample.variant == REORDERED
        if sample.system == plaincite.NAME:
            turn, ms = plaincite.PlainCite(bench.production).turn(case, turned)
            if sample.variant:
                outcome = turn.outcome.value if turn.outcome else None
                return {"digest": digest(plaincite.reply_of(turn, ms), outcome), "outcome": outcome}
            return {"turn": dumped(turn), "ms": round(ms, 2)}
        reply = self._baseline(bench, sample.system, case, turned)
        return {"digest": digest(reply)} if sample.variant else {"reply": asdict(reply)}

    def _baseline(self, bench: Bench, name: str, case: Case, turned: bool) -> Reply:
        if name == verbatim.NAME:
            return verbatim.Verbatim(bench.production).answer(case)
        if name == rag.RAG:
            return rag.Rag(bench.production, bench.models[name]).answer(case, reordered=turned)
        return rag.ClosedBook(bench.production, bench.models[name]).answer(case)

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """What can be told without a judge; of a variant its digest."""
        if sample.variant:
            return dict(output)
        case, corpus = bench.by_id[sample.id], bench.production.corpus
        found = reply_score(case, reply_in(output), corpus)
        if "turn" in output:
            turn = loaded(output)
            found |= turn_score(case, turn, corpus, bench.production.engine.wording)
            outcome = turn.outcome.value if turn.outcome else None
            return {**found, "digest": digest(reply_in(output), outcome)}
        return {**found, "digest": digest(reply_in(output))}

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """By system."""
        return summary(scores)
