"""corpus → Chroma, stamped with the corpus hash and the model's; incremental, resumable, rebuilt when corrupt."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import structlog
from filelock import FileLock
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from server.corpus import Corpus
from server.embedding import MODEL, Embedder
from server.paths import CORPUS

Kind = Literal["claim", "passage", "example"]
Progress = Callable[[int, int], None]
BATCH = 64
log = structlog.get_logger("plaincite.index")


@dataclass(frozen=True, slots=True)
class Entry:
    """One text in the store: `ref` is a claim's, passage's or brief's id; `hash` covers the text and the model."""

    id: str
    kind: Kind
    ref: str
    text: str
    hash: str


class Examples:
    """Example questions as a matrix, to compare a question with: vectors (n, 384), briefs[n]."""

    def __init__(self, vectors: NDArray[np.float32], briefs: tuple[str, ...]) -> None:
        self.vectors = vectors
        self.briefs = briefs


class _Watched(Embeddings):
    """The embedder, remembering whether it failed: its error must not be taken for a broken store's."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.failed = False

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.failed = True
        vectors = self._inner.embed_documents(texts)
        self.failed = False
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self._inner.embed_query(text)


def _digest(text: str) -> str:
    return hashlib.sha256(f"{MODEL}\n{text}".encode()).hexdigest()[:20]


def entries(corpus: Corpus) -> Iterator[Entry]:
    """Everything of a topic that is embedded: claims, passages and example questions."""
    for claim in corpus.claims.values():
        yield Entry(f"claim:{claim.id}", "claim", claim.id, claim.text, _digest(claim.text))
    for passage in corpus.passages.values():
        yield Entry(f"passage:{passage.id}", "passage", passage.id, passage.text, _digest(passage.text))
    for brief, questions in corpus.examples.items():
        for number, question in enumerate(questions):
            yield Entry(f"example:{brief}:{number}", "example", brief, question, _digest(question))


def stamp(corpus: Corpus) -> str:
    """What a finished index of this corpus is marked with."""
    return f"{corpus.hash}:{MODEL}"


def index_folder(data_dir: Path) -> Path:
    """Where the embedded store lies: one folder a corpus location, so that two checkouts never share one."""
    return data_dir / "index" / hashlib.sha256(str(CORPUS).encode()).hexdigest()[:12]


class Index:
    """The vector store of all topics. One collection a topic, held through langchain-chroma."""

    def __init__(self, data_dir: Path, embedder: Embedder, chroma_url: str | None = None) -> None:
        self._folder = index_folder(data_dir)
        self._embedder = _Watched(embedder)
        self._url = chroma_url
        self._stores: dict[str, Any] = {}

    def _client(self) -> Any:
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if self._url:
            parts = urlsplit(self._url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            return chromadb.HttpClient(
                host=parts.hostname or "", port=port, ssl=parts.scheme == "https", settings=quiet
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(self._folder), settings=quiet)

    def _open(self, topic: str) -> Any:
        if topic not in self._stores:
            from langchain_chroma import Chroma

            self._stores[topic] = Chroma(
                collection_name=f"plaincite-{topic}",
                embedding_function=self._embedder,
                client=self._client(),
                collection_metadata={"hnsw:space": "cosine"},
            )
        return self._stores[topic]

    def is_ready(self, corpus: Corpus) -> bool:
        """Whether the store holds a finished index of exactly this corpus."""
        try:
            metadata = self._open(corpus.topic.id)._collection.metadata or {}
            return bool(metadata.get("stamp") == stamp(corpus)) and self._count(corpus) == len(list(entries(corpus)))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return False

    def _count(self, corpus: Corpus) -> int:
        return int(self._open(corpus.topic.id)._collection.count())

    def build(self, corpus: Corpus, progress: Progress = lambda done, total: None, force: bool = False) -> int:
        """Bring the store up to date; returns how many texts were embedded. A corrupt embedded store is rebuilt."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self._folder) + ".lock"):
            try:
                return self._update(corpus, progress, force)
            except BaseException as error:  # a broken store can surface as a panic, which is no Exception
                if (
                    self._url
                    or self._embedder.failed
                    or isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)
                ):
                    raise
                log.warning("index.rebuilt", reason=type(error).__name__, topic=corpus.topic.id)
                self._discard()
                return self._update(corpus, progress, True)

    def _discard(self) -> None:
        from chromadb.api.shared_system_client import SharedSystemClient

        self._stores.clear()
        SharedSystemClient.clear_system_cache()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _update(self, corpus: Corpus, progress: Progress, force: bool) -> int:
        store = self._open(corpus.topic.id)
        collection = store._collection
        wanted = {entry.id: entry for entry in entries(corpus)}
        held = collection.get(include=["metadatas"])
        known = {i: (m or {}).get("hash") for i, m in zip(held["ids"], held["metadatas"], strict=True)}
        gone = [identifier for identifier in known if identifier not in wanted]
        fresh = [entry for entry in wanted.values() if force or known.get(entry.id) != entry.hash]
        if gone:
            collection.delete(ids=gone)
        for start in range(0, len(fresh), BATCH):
            batch = fresh[start : start + BATCH]
            store.add_texts(
                [entry.text for entry in batch],
                metadatas=[{"kind": entry.kind, "ref": entry.ref, "hash": entry.hash} for entry in batch],
                ids=[entry.id for entry in batch],
            )
            progress(min(start + BATCH, len(fresh)), len(fresh))
        # The stamp comes last: an index without it is unfinished, and the next run completes it.
        collection.modify(metadata={"stamp": stamp(corpus)})
        return len(fresh)

    def search(self, topic: str, vector: NDArray[np.float32], kind: Kind, k: int) -> list[tuple[str, float]]:
        """The k nearest entries of a kind: (ref, cosine similarity from -1 to 1), nearest first."""
        found = self._open(topic).similarity_search_by_vector_with_relevance_scores(
            vector.tolist(), k=k, filter={"kind": kind}
        )
        return [(str(document.metadata["ref"]), 1.0 - float(distance)) for document, distance in found]

    def examples(self, corpus: Corpus) -> Examples:
        """The example questions with the vectors that the store holds for them."""
        held = self._open(corpus.topic.id)._collection.get(
            where={"kind": "example"}, include=["embeddings", "metadatas"]
        )
        briefs = tuple(str((metadata or {})["ref"]) for metadata in held["metadatas"])
        return Examples(np.asarray(held["embeddings"], dtype=np.float32), briefs)
