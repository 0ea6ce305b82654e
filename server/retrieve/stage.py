"""Retrieve as a stage: claims and passages for the question, dense and keyword, fused."""

from typing import Literal

from server.corpus import Corpus
from server.index import Index
from server.retrieve.fuse import reciprocal_rank
from server.retrieve.keyword import Keyword
from server.turn import ANSWERED, Hit, Reading, Turn

DEPTH = 20
KEPT = 10
Kind = Literal["claim", "passage"]


class Retrieve:
    """Turn → Turn with its hits, best first. Fixed endings (about the tool, refusals) need none."""

    def __init__(self, corpus: Corpus, index: Index) -> None:
        self._corpus = corpus
        self._index = index
        self._keyword: dict[Kind, Keyword] = {
            "claim": Keyword({claim.id: claim.text for claim in corpus.claims.values()}),
            "passage": Keyword({passage.id: passage.text for passage in corpus.passages.values()}),
        }

    def __call__(self, turn: Turn) -> Turn:
        """The turn with its hits."""
        reading = turn.reading
        if reading is None or not self._needed(reading):
            return turn
        kinds: tuple[Kind, ...] = ("claim", "passage")
        return turn.having(hits=tuple(hit for kind in kinds for hit in self.search(reading, kind)))

    def _needed(self, reading: Reading) -> bool:
        brief = self._corpus.briefs.get(reading.brief or "")
        return brief is None or brief.outcome in ANSWERED or bool(brief.points)

    def search(self, reading: Reading, kind: Kind) -> list[Hit]:
        """Hits of one kind, best first; similarity is -1 where only the keyword search found it."""
        dense = self.dense(reading, kind)
        similarity = dict(dense)
        fused = reciprocal_rank([[ref for ref, _ in dense], self.keyword(reading, kind)])
        return [Hit(ref, kind, score, similarity.get(ref, -1.0)) for ref, score in list(fused.items())[:KEPT]]

    def dense(self, reading: Reading, kind: Kind) -> list[tuple[str, float]]:
        """(id, cosine similarity) by meaning, best first."""
        known = self._corpus.claims if kind == "claim" else self._corpus.passages
        found = self._index.search(self._corpus.topic.id, reading.vector, kind, DEPTH)
        return [(ref, cosine) for ref, cosine in found if ref in known]  # another process may be updating the store

    def keyword(self, reading: Reading, kind: Kind) -> list[str]:
        """Ids by words, best first."""
        return self._keyword[kind].search(reading.query, DEPTH)
