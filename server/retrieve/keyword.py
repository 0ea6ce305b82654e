"""Keyword search: BM25 (bm25s) over stemmed words, built in memory when the corpus is loaded."""

from collections.abc import Mapping
from typing import Any

import bm25s
import Stemmer


class Keyword:
    """BM25 over texts by id."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._ids = list(texts)
        self._stemmer: Any = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        self._bm25.index(self._tokens(list(texts.values())), show_progress=False)

    def _tokens(self, texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)

    def search(self, query: str, k: int) -> list[str]:
        """Ids with a score above zero, best first; an empty list where no word of the query is known."""
        tokens = self._tokens([query])
        if not tokens.vocab:
            return []
        found, scores = self._bm25.retrieve(tokens, corpus=self._ids, k=min(k, len(self._ids)), show_progress=False)
        return [str(i) for i, score in zip(found[0], scores[0], strict=True) if score > 0]
