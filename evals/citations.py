"""Citation recall and precision of a sentence as ALCE defines them (Gao and others, EMNLP 2023), by a judge.

Recall: do the cited passages together support the sentence? Precision: is each citation needed or enough? A citation
is precise where the sentence is supported and the passage supports it alone, or the others without it do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.opinions import Opinions
from evals.stats import share
from evals.systems.reply import Said
from server.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Citations:
    """Counts over a system's sentences; an unjudged sentence is in neither share."""

    supported: int
    sentences: int
    precise: int
    citations: int
    unjudged: int

    @property
    def recall(self) -> float | None:
        """Supported sentences of all judged ones; an uncited sentence counts as not supported."""
        return share(self.supported, self.sentences)

    @property
    def precision(self) -> float | None:
        """Precise citations of all citations in judged sentences."""
        return share(self.precise, self.citations)


def _precise(sentence: str, texts: Sequence[str], place: int, judge: Opinions) -> bool:
    alone = judge.of(sentence, [texts[place]]).supported
    rest = [text for other, text in enumerate(texts) if other != place]
    return bool(alone) or not (rest and judge.of(sentence, rest).supported)


def citations(said: Sequence[Said], corpus: Corpus, judge: Opinions) -> Citations:
    """Over the sentences of one system, each as often as it was shown."""
    supported = precise = cited = unjudged = 0
    for one in said:
        texts = [corpus.evidence(p) for p in one.cited if p in corpus.passages]
        opinion = judge.of(one.text, texts).supported if texts else False
        if opinion is None:
            unjudged += 1
            continue
        supported += opinion
        cited += len(texts)
        if opinion:
            precise += sum(_precise(one.text, texts, place, judge) for place in range(len(texts)))
    return Citations(supported, len(said) - unjudged, precise, cited, unjudged)
