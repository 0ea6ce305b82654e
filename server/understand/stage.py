"""Understand as a stage: reads the question (a follow-up with the turn before it) into kind, study and subject."""

import re
from dataclasses import replace

from server.corpus import Corpus
from server.embedding import Embedder
from server.index import Examples
from server.turn import ANSWERED, Outcome, Reading, Turn
from server.understand.follow_up import is_follow_up, points_back, previous
from server.understand.intent import Intent, Intents
from server.understand.names import studies, subject

_LOST = frozenset({Outcome.OFF_TOPIC, Outcome.CLARIFY})
POINTED = 15
OWN_MATTER = 0.45  # cosine from which "is it safe to drive?" is about driving, whatever was asked before
CONTEXT_WEIGHT = 0.9  # a follow-up read with its context must beat it read alone by this factor


class Understand:
    """Turn → Turn with a Reading. It never ends a turn: "cannot tell" is a reading, too."""

    def __init__(self, corpus: Corpus, examples: Examples, embedder: Embedder) -> None:
        self._corpus = corpus
        self._intents = Intents(examples)
        self._embedder = embedder
        terms = "|".join(map(re.escape, sorted(corpus.topic.terms, key=len, reverse=True)))
        self._terms = re.compile(rf"(?<!\w)(?:{terms})(?!\w)", re.IGNORECASE)

    def __call__(self, turn: Turn) -> Turn:
        """The turn with its reading."""
        before = previous(turn.question)
        reading = self._read(turn.question.text, studies(before, self._corpus) if before else ())
        if before is not None:
            reading = self._in_context(turn.question.text, before, reading)
        if turn.screening is not None and turn.screening.mark_brief is not None:
            reading = replace(reading, brief=turn.screening.mark_brief)
        return turn.having(reading=reading)

    def _in_context(self, text: str, before: str, alone: Reading) -> Reading:
        """A follow-up read with the turn before it, where it leans on that turn or says nothing by itself."""
        topic = self._corpus.topic
        brief = self._corpus.briefs.get(alone.brief or "")
        lost = brief is None or brief.outcome in _LOST
        own_matter = not lost and brief is not None and brief.outcome not in ANSWERED and alone.score >= OWN_MATTER
        about = None if own_matter else self._about_earlier(text, before, alone)
        if about is not None:
            return about
        leans = is_follow_up(text, topic.follow_up_cues, topic.terms)
        if own_matter or not (lost or leans):
            return alone
        joined = self._read(f"{before} {text}")
        if not lost and alone.studies and alone.score >= joined.score * CONTEXT_WEIGHT:
            return alone
        return joined if joined.brief is not None or joined.in_scope else alone

    def _about_earlier(self, text: str, before: str, alone: Reading) -> Reading | None:
        """ "Was there a placebo in that one": a short message that points back, about the study named a turn before."""
        earlier = studies(before, self._corpus)
        if not earlier or studies(text, self._corpus) or not points_back(text):
            return None
        of_study = {brief.without_study: brief.id for brief in self._corpus.briefs.values() if brief.aspect}
        for intent in self._intents.rank(alone.vector, POINTED):
            kind = intent.brief if self._corpus.briefs[intent.brief].aspect else of_study.get(intent.brief)
            if kind is not None:
                return replace(alone, brief=kind, studies=earlier, in_scope=True)
        return None

    def _read(self, text: str, earlier: tuple[str, ...] = ()) -> Reading:
        """The text's reading; `earlier`: studies named a turn before, for a question about "it"."""
        corpus, topic = self._corpus, self._corpus.topic
        vector = self._embedder.encode([text])[0]
        named = studies(text, corpus)
        intent = self._choose(self._intents.rank(vector), named, earlier)
        if not named and intent.brief in corpus.briefs and corpus.briefs[intent.brief].aspect:
            named = earlier
        ours = bool(self._terms.search(text)) or bool(named)
        known = intent.similarity >= (topic.intent_threshold if ours else topic.bare_threshold)
        return Reading(
            brief=intent.brief if known else None,
            score=intent.similarity,
            probability=intent.probability,
            studies=named,
            subject=subject(text, corpus),
            query=text,
            in_scope=ours or known,
            vector=vector,
        )

    def _choose(self, intents: list[Intent], named: tuple[str, ...], earlier: tuple[str, ...]) -> Intent:
        """The best kind of question; one that needs a study gives way to its general form where none is known."""
        best, briefs = intents[0], self._corpus.briefs
        brief = briefs.get(best.brief)
        if brief is None:
            return Intent(best.brief, 0.0, -1.0)
        if named and brief.outcome is Outcome.DECLINE_REDIRECT and not brief.points:
            # A question that names a study is about the study: the likeliest kind of such questions answers it.
            best = next(
                (i for i in intents if briefs[i.brief].aspect), replace(best, brief=self._corpus.topic.study_brief)
            )
        elif brief.aspect and not named and not earlier and brief.without_study:
            return replace(best, brief=brief.without_study)
        return best
