"""Understand as a stage: reads the question (a follow-up with the turn before it) into kind, study and subject."""

import re
from dataclasses import replace

from server.corpus import Corpus
from server.embedding import Embedder
from server.index import Examples
from server.turn import Reading, Turn
from server.understand.follow_up import is_follow_up, previous
from server.understand.intent import Intent, Intents
from server.understand.names import studies, subject

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
        screening = turn.screening
        before = previous(turn.question)
        reading = self._read(turn.question.text, studies(before, self._corpus) if before else ())
        topic = self._corpus.topic
        if before is not None and is_follow_up(turn.question.text, topic.follow_up_cues, topic.terms):
            joined = self._read(f"{before} {turn.question.text}")
            alone_is_clear = (
                reading.brief is not None and reading.score >= joined.score * CONTEXT_WEIGHT and reading.studies
            )
            reading = reading if alone_is_clear else joined
        if screening is not None and screening.mark_brief is not None:
            reading = replace(reading, brief=screening.mark_brief)
        return turn.having(reading=reading)

    def _read(self, text: str, earlier: tuple[str, ...] = ()) -> Reading:
        """The text's reading; `earlier`: studies named a turn before, for a question about "it"."""
        corpus, topic = self._corpus, self._corpus.topic
        vector = self._embedder.encode([text])[0]
        named = studies(text, corpus)
        intent = self._choose(self._intents.rank(vector), named or earlier)
        if not named and intent.brief in corpus.briefs and corpus.briefs[intent.brief].aspect:
            named = earlier
        known = intent.similarity >= topic.intent_threshold
        in_scope = bool(self._terms.search(text)) or bool(named) or intent.similarity >= topic.intent_threshold
        return Reading(
            brief=intent.brief if known else None,
            score=intent.similarity,
            margin=intent.probability,
            studies=named,
            subject=subject(text, corpus),
            query=text,
            in_scope=in_scope,
            vector=vector,
        )

    def _choose(self, intents: list[Intent], named: tuple[str, ...]) -> Intent:
        """The best kind of question; one that needs a named study gives way to its general form where none is named."""
        best = intents[0]
        brief = self._corpus.briefs.get(best.brief)
        if brief is None:
            return Intent(best.brief, 0.0, -1.0)
        if brief.aspect and not named and brief.without_study:
            return replace(best, brief=brief.without_study)
        return best
