"""Verify as a stage: the only place that may say "answered". Cannot tell counts as no."""

from collections.abc import Sequence
from dataclasses import replace

from server.corpus import Corpus
from server.turn import ANSWERED, UNCITED_ROLES, Draft, Outcome, Role, Sentence, Turn, Verdict
from server.verify.figures import unsupported
from server.verify.labels import label_faults
from server.verify.model import load
from server.verify.support import DOUBT, LEEWAY, Asked, Held, Supports
from server.verify.wording import problems
from server.wording import Wording

_LEADS = frozenset({Role.LEAD, Role.PREMISE})


def cited(sentence: Sentence, corpus: Corpus) -> bool:
    """Whether the sentence cites something, and nothing that the corpus does not hold."""
    return bool(sentence.citations) and all(p in corpus.passages for p in sentence.citations)


class Verify:
    """Turn → Turn that has ended. A failed sentence is dropped; an answer that loses its lead becomes a refusal."""

    def __init__(self, corpus: Corpus, wording: Wording, supports: Supports | None = None) -> None:
        self._corpus = corpus
        self._supports = supports or Supports(load())
        # A claim that was looked at and stands, though its score is low, says why in its record.
        self._limits = {(c.text, c.passages): 0.0 if c.doubt else DOUBT - LEEWAY for c in corpus.claims.values()}
        self._honest = wording.replies["fixed"]["not_found"]

    def __call__(self, turn: Turn) -> Turn:
        """The ended turn; raises ValueError without a draft."""
        draft = turn.draft
        if draft is None:
            raise ValueError("verify needs a draft")
        kept, dropped = self.checked(draft.sentences)
        more = dropped
        while more:  # dropping one may take away the words that another's source demands
            kept, more = self.checked(tuple(kept))
            dropped = [*dropped, *more]
        if draft.outcome in ANSWERED and not any(s.role in _LEADS for s in kept):
            return self._refused(turn, draft, kept, dropped)
        return turn.ended(
            draft.outcome,
            draft.reason,
            draft.card,
            sentences=tuple(kept),
            dropped=tuple(dropped),
            conflict=draft.conflict,
        )

    def checked(self, sentences: tuple[Sentence, ...]) -> tuple[list[Sentence], list[Sentence]]:
        """The sentences with their verdicts, in two lists: those that hold and those that do not."""
        faults = label_faults(sentences, self._corpus)
        asked = [s for s in sentences if s.role not in UNCITED_ROLES]
        held = dict(zip(asked, self._supports.verdicts([self._asked(s) for s in asked]), strict=True))
        judged = [replace(s, verdict=self._verdict(s, held.get(s), s.text in faults)) for s in sentences]
        kept = [s for s in judged if s.verdict and s.verdict.passed]
        return kept, [s for s in judged if not (s.verdict and s.verdict.passed)]

    @property
    def threshold(self) -> float:
        """The support score that a sentence needs which nobody has reviewed."""
        return self._supports.threshold

    def for_corpus(self, corpus: Corpus, wording: Wording) -> "Verify":
        """The stage for another corpus, with the same verdicts kept."""
        return Verify(corpus, wording, self._supports)

    def ask_ahead(self, sentences: Sequence[Sentence]) -> None:
        """Score these sentences in one go, so that their verdicts are at hand: quicker than one by one."""
        self._supports.verdicts([self._asked(sentence) for sentence in sentences])

    def verdict(self, sentence: Sentence) -> Verdict:
        """Each check's result for one sentence by itself, without what its neighbours' labels demand."""
        asked = sentence.role not in UNCITED_ROLES
        return self._verdict(sentence, self._supports.verdicts([self._asked(sentence)])[0] if asked else None, False)

    def _asked(self, sentence: Sentence) -> Asked:
        return sentence.text, tuple(self._corpus.evidence(p) for p in sentence.citations if p in self._corpus.passages)

    def _verdict(self, sentence: Sentence, held: Held | None, label_fault: bool) -> Verdict:
        wording = not list(problems(sentence.text, sentence.certainty))
        if held is None:
            return Verdict(None, True, True, wording, cited=not sentence.citations)
        texts = [self._corpus.passages[p].text for p in sentence.citations if p in self._corpus.passages]
        score = round(held.score, 3)
        return Verdict(
            support=score,
            figures=not unsupported(sentence.text, texts),
            labels=not label_fault,
            wording=wording,
            best=held.best,
            cited=cited(sentence, self._corpus),
            supported=held.score >= self._limits.get((sentence.text, sentence.citations), self.threshold),
        )

    def _refused(self, turn: Turn, draft: Draft, kept: list[Sentence], dropped: list[Sentence]) -> Turn:
        honest = Sentence(self._honest, Role.FIXED, verdict=Verdict(None, True, True, True))
        steps = tuple(s for s in kept if s.role is Role.NEXT_STEP)
        return turn.ended(
            Outcome.DECLINE_REDIRECT,
            "unverified_draft",
            draft.card,
            sentences=(honest, *steps),
            dropped=tuple(dropped),
        )
