"""How often a system makes things up: three estimates side by side, never mixed.

The gate's own score, an independent judge (with the rate corrected for its errors), and readers' labels. The unit is
the distinct pair of a sentence and its passages, weighted by how often it was shown; beside it stands the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from evals.labels import Labelled
from evals.opinions import Opinions
from evals.pairs import Pair, distinct, pair, reviewed_pairs
from evals.rates import Corrected, Power, Rate, Weighed, corrected, needed_for, rate
from evals.systems import plaincite, verbatim
from evals.systems.reply import Reply, Said
from server.corpus import Corpus
from server.turn import Role, Sentence
from server.verify.stage import Verify

REVIEWED = "reviewed"
LIMIT = 0.01


@dataclass(frozen=True)
class Estimates:
    """One system's estimates. `labels` is None where nobody labelled; `answers_*` are over replies, not sentences."""

    system: str
    shown: int
    distinct: int
    gate_mean_doubt: float | None
    gate_objects: Rate
    judge: Rate
    corrected: Corrected
    power: Power
    labels: Rate | None
    labels_by_construction: bool
    answers_judge: Rate
    answers_labels: Rate | None

    def to_json(self) -> dict[str, Any]:
        """As it stands in report.json."""
        power = {**asdict(self.power), "sensitivity": self.power.sensitivity, "specificity": self.power.specificity}
        return {**asdict(self), "power": power, "rule_of_three": self.labels.rule_of_three if self.labels else None}


def origin_of(system: str) -> str:
    """What labelled sentences of the system are called where they were drawn."""
    return REVIEWED if system == plaincite.NAME else system


def labelled_pairs(labelled: Labelled, corpus: Corpus, origins: Iterable[str] | None = None) -> list[Pair]:
    """Labelled sentences whose passages have not changed, as pairs shown once; of some origins or of all."""
    wanted = None if origins is None else set(origins)
    found = []
    for key, one in labelled.still_valid(corpus).items():
        if (wanted is None or one.origin in wanted) and labelled.bad(key) is not None:
            found.append(pair(Said(one.sentence, one.passages, one.passages), corpus))
    return found


def power(pairs: Iterable[Pair], labelled: Labelled, judge: Opinions) -> Power:
    """How the judge does on labelled pairs."""
    hits = unsupported = passes = supported = unjudged = 0
    for one in pairs:
        truth, said = labelled.bad(one.key), judge.bad(one)
        if said is None:
            unjudged += 1
        elif truth:
            unsupported, hits = unsupported + 1, hits + said
        else:
            supported, passes = supported + 1, passes + (not said)
    return Power(hits, unsupported, passes, supported, unjudged)


def weighed(pairs: Iterable[Pair], bad: Any) -> list[Weighed]:
    """Pairs as units of a rate; `bad(pair)` gives True, False or None."""
    return [Weighed(bad(one), one.shown, one.cluster) for one in pairs]


class Assessor:
    """Estimates for any system, with one judge, one set of labels and the production gate."""

    def __init__(self, corpus: Corpus, gate: Verify, judge: Opinions, labelled: Labelled) -> None:
        self.corpus = corpus
        self._gate = gate
        self.judge = judge
        self.labelled = labelled
        self.valid = labelled.still_valid(corpus)

    @cached_property
    def pooled(self) -> Power:
        """The judge's errors over all labelled sentences."""
        return power(labelled_pairs(self.labelled, self.corpus), self.labelled, self.judge)

    def ask_ahead(self, pairs: Iterable[Pair]) -> None:
        """The gate scores these pairs in one go, so that `verdict` has them at hand."""
        self._gate.ask_ahead([Sentence(one.sentence, Role.POINT, one.passages) for one in pairs])

    def verdict(self, one: Pair) -> dict[str, Any]:
        """The gate's own view of a pair."""
        found = self._gate.verdict(Sentence(one.sentence, Role.POINT, one.passages))
        return {
            "support": found.support,
            "figures": found.figures,
            "wording": found.wording,
            "objects": not found.passed,
        }

    def label(self, one: Pair) -> bool | None:
        """Whether readers call it a hallucination; None where they do not say, or its passages have changed."""
        return self.labelled.bad(one.key) if one.key in self.valid else None

    def _answers(self, replies: Sequence[Reply], bad: Mapping[str, bool | None]) -> Rate:
        units = []
        for reply in replies:
            pairs = list(distinct(reply.said, self.corpus).values())
            verdicts = [bad.get(one.key) for one in pairs]
            if pairs:
                # An answer counts where every sentence was judged: with a sample of sentences, "at least one of those
                # that were read is bad" would be told of the very answers that have one.
                whole = None if None in verdicts else any(verdicts)
                units.append(Weighed(whole, 1, pairs[0].cluster))
        return rate(units)

    def _power(self, system: str) -> Power:
        mine = labelled_pairs(self.labelled, self.corpus, {origin_of(system)})
        return power(mine, self.labelled, self.judge)

    def estimates(self, system: str, replies: Sequence[Reply]) -> tuple[Estimates, list[Pair]]:
        """All three estimates, and the distinct pairs they rest on."""
        pairs = list(distinct((said for one in replies for said in one.said), self.corpus).values())
        self.judge.ask_all(pairs)
        self.ask_ahead(pairs)
        doubts = [(1 - (self.verdict(one)["support"] or 0.0), one.shown) for one in pairs]
        shown = sum(one.shown for one in pairs)
        measured = self._power(system)
        judged = weighed(pairs, self.judge.bad)
        verbatim_ones = system == verbatim.NAME
        by_label = {one.key: False if verbatim_ones else self.label(one) for one in pairs}
        labels = rate(weighed(pairs, lambda one: by_label[one.key]))
        known = labels if labels.judged else None
        return (
            Estimates(
                system=system,
                shown=shown,
                distinct=len(pairs),
                gate_mean_doubt=sum(doubt * times for doubt, times in doubts) / shown if shown else None,
                gate_objects=rate(weighed(pairs, lambda one: self.verdict(one)["objects"])),
                judge=rate(judged),
                corrected=corrected(judged, measured, self.pooled),
                power=measured,
                labels=known,
                labels_by_construction=verbatim_ones,
                answers_judge=self._answers(replies, {one.key: self.judge.bad(one) for one in pairs}),
                answers_labels=self._answers(replies, by_label) if known else None,
            ),
            pairs,
        )

    def census(self) -> dict[str, Any]:
        """Every sentence that the reviewed composer can say with a citation: how many are labelled, how many fail."""
        pairs = list(reviewed_pairs(self.corpus).values())
        found = rate([Weighed(self.label(one), 1, one.cluster) for one in pairs])
        failed = [
            {"sentence": one.sentence, "passages": list(one.passages), "key": one.key}
            for one in pairs
            if self.label(one)
        ]
        return {
            "sentences": len(pairs),
            **asdict(found),
            "rule_of_three": found.rule_of_three,
            "needed_for_under_1_percent": needed_for(LIMIT),
            "failed": failed,
        }
