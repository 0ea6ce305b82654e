"""Baseline: the top passages, word for word. It cannot make anything up, and nobody can read it."""

import time

from evals.cases import Case
from evals.systems.production import Production
from evals.systems.reply import Reply, Said
from server.reading_level import split_sentences

NAME = "verbatim"
PASSAGES = 2


class Verbatim:
    """Shows the first two passages that retrieval finds."""

    name = NAME

    def __init__(self, production: Production) -> None:
        self._production = production

    def answer(self, case: Case, repeat: int = 0) -> Reply:
        """Each sentence of the passages, cited to its passage."""
        started = time.perf_counter()
        hits = self._production.search(case.messages[-1], PASSAGES)
        texts = {hit.id: self._production.corpus.passages[hit.id].text for hit in hits}
        said = tuple(Said(s, (key,), (key,)) for key, text in texts.items() for s in split_sentences(text))
        return Reply(not said, said, " ".join(texts.values()), (time.perf_counter() - started) * 1000)
