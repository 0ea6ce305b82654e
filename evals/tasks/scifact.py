"""SciFact: a public number for the retriever. 5,183 abstracts, the 300 development claims (BEIR's test queries)."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.ranking import DEPTH, averaged, measures
from evals.tasks.base import Bench, NotRun, Output, Sample, Score
from evals.tasks.retrieve import METHODS
from server.embedding import Embedder
from server.retrieve.fuse import reciprocal_rank
from server.retrieve.keyword import Keyword

POOL = 100
PUBLISHED = {"BM25 (BEIR)": 0.665, "all-MiniLM-L6-v2": 0.645}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def _file(folder: Path, name: str) -> Path:
    found = [path for path in (folder / f"scifact.{name}.jsonl", folder / f"{name}.jsonl") if path.is_file()]
    if not found:
        raise NotRun(f"{folder} holds no {name}.jsonl")
    return found[0]


def _key(row: dict[str, Any]) -> str:
    return str(row.get("_id", row.get("id")))


def read_gold(folder: Path) -> dict[str, set[str]]:
    """Query → relevant abstracts, of the development split; BEIR's folders (qrels/test.tsv) are read too."""
    gold: dict[str, set[str]] = {}
    table = folder / "qrels" / "test.tsv"
    if table.is_file():
        for row in csv.DictReader(table.open(encoding="utf-8"), delimiter="\t"):
            if int(row["score"]) > 0:
                gold.setdefault(row["query-id"], set()).add(row["corpus-id"])
    else:
        for row in _rows(_file(folder, "qrels")):
            if row["split"] == "dev" and int(row["rel"]) > 0:
                gold.setdefault(str(row["qid"]), set()).add(str(row["docid"]))
    return gold


class _Index:
    """Vectors and BM25 over the abstracts; `vectors` has shape (abstracts, 384)."""

    def __init__(self, folder: Path) -> None:
        import torch

        texts = {_key(row): f"{row.get('title', '')} {row['text']}".strip() for row in _rows(_file(folder, "corpus"))}
        self.ids = list(texts)
        self.keyword = Keyword(texts)
        self.embedder = Embedder()
        self.embedder.load()
        threads = torch.get_num_threads()
        torch.set_num_threads(2)
        self.vectors: NDArray[np.float32] = self.embedder.encode(list(texts.values()), batch_size=64)
        torch.set_num_threads(threads)
        self.queries = {_key(row): str(row["text"]) for row in _rows(_file(folder, "queries"))}

    def rank(self, query: str) -> dict[str, list[str]]:
        """The first ten by each method; the two lists that are fused are 100 long."""
        cosine = self.vectors @ self.embedder.encode([self.queries[query]])[0]
        dense = [self.ids[place] for place in np.argsort(-cosine)[:POOL]]
        keyword = self.keyword.search(self.queries[query], POOL)
        fused = list(reciprocal_rank([dense, keyword]))
        return {"dense": dense[:DEPTH], "keyword": keyword[:DEPTH], "fused": fused[:DEPTH]}


class ScifactTask:
    """The same embedding model, keyword search and fusion as production, over SciFact."""

    name = "scifact"

    def __init__(self) -> None:
        self._index: _Index | None = None
        self._gold: dict[str, set[str]] = {}

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """The queries. Raises NotRun without the folder."""
        if bench.scifact is None:
            raise NotRun("needs --scifact DIR")
        self._gold = read_gold(bench.scifact)
        return [Sample(query, "retriever") for query in self._gold]

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """Rankings by each method; the first call embeds the abstracts."""
        if self._index is None:
            assert bench.scifact is not None
            self._index = _Index(bench.scifact)
        return self._index.rank(sample.id)

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """Measures by method."""
        if not self._gold and bench.scifact is not None:
            self._gold = read_gold(bench.scifact)
        if sample.id not in self._gold:
            raise NotRun("scoring needs --scifact DIR again")
        return {name: measures(output[name], self._gold[sample.id]) for name in METHODS}

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """Means over the queries, beside the published nDCG@10."""
        found = {name: averaged([row[name] for row in scores]) for name in METHODS}
        return {"queries": len(scores), "published_ndcg@10": PUBLISHED, **found}
