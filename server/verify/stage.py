"""Verify as a stage: the only place that may say "answered". Cannot tell counts as no."""

from dataclasses import replace

from server.corpus import Corpus
from server.turn import ANSWERED, UNCITED_ROLES, Draft, Outcome, Role, Sentence, Turn, Verdict
from server.verify.figures import unsupported
from server.verify.labels import label_faults
from server.verify.support import DROP_BELOW, support
from server.verify.wording import problems
from server.wording import Wording

_LEADS = frozenset({Role.LEAD, Role.PREMISE})


def cited(sentence: Sentence, corpus: Corpus) -> bool:
    """Whether the sentence cites something, and nothing that the corpus does not hold."""
    return bool(sentence.citations) and all(p in corpus.passages for p in sentence.citations)


class Verify:
    """Turn → Turn that has ended. A failed sentence is dropped; an answer that loses its lead becomes a refusal."""

    def __init__(self, corpus: Corpus, wording: Wording) -> None:
        self._corpus = corpus
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
        judged = [replace(s, verdict=self.verdict(s, s.text in faults)) for s in sentences]
        kept = [s for s in judged if self._holds(s)]
        return kept, [s for s in judged if not self._holds(s)]

    def verdict(self, sentence: Sentence, label_fault: bool = False) -> Verdict:
        """Each check's result for one sentence."""
        wording = not list(problems(sentence.text, sentence.certainty))
        if sentence.role in UNCITED_ROLES:
            return Verdict(None, True, True, wording)
        texts = [self._corpus.passages[p].text for p in sentence.citations if p in self._corpus.passages]
        return Verdict(
            support=round(support(sentence.text, " ".join(texts)), 3),
            figures=not unsupported(sentence.text, texts),
            labels=not label_fault,
            wording=wording,
        )

    def _holds(self, sentence: Sentence) -> bool:
        verdict = sentence.verdict
        if verdict is None or not verdict.passed:
            return False
        if sentence.role in UNCITED_ROLES:
            return not sentence.citations
        supported = verdict.support is not None and verdict.support >= DROP_BELOW
        return supported and cited(sentence, self._corpus)

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
