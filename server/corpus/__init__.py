"""corpus/ as typed data: schema (what the files may hold), load (files to types), check (what is refused)."""

from server.corpus.load import Corpus, CorpusError, load_corpora, load_corpus
from server.corpus.schema import Brief, Conflict, ContextCard, Source

__all__ = [
    "Brief",
    "Conflict",
    "ContextCard",
    "Corpus",
    "CorpusError",
    "Source",
    "load_corpora",
    "load_corpus",
]
