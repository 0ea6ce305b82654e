"""The index: incremental, resumable, stamped, rebuilt when corrupt; embedded or on a Chroma server."""

import hashlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from server.corpus import Corpus
from server.embedding import DIMENSIONS, MODEL, Embedder
from server.index import BATCH, Index, entries, index_folder, stamp

CHROMA = Path(sys.executable).with_name("chroma")
CLAIM = "feder2014.c.result"


class Fake(Embedder):
    """A cheap embedder: a text's hash as 384 numbers. `texts` is what it was asked; it may break after some batches."""

    def __init__(self, breaks_after: int | None = None) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.batches: list[int] = []
        self.breaks_after = breaks_after

    def encode(self, texts: list[str], batch_size: int = 32) -> NDArray[np.float32]:
        if self.breaks_after is not None and len(self.batches) >= self.breaks_after:
            raise KeyboardInterrupt
        self.batches.append(len(texts))
        self.texts += texts
        rows = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            rows.append(np.random.default_rng(seed).standard_normal(DIMENSIONS))
        vectors = np.asarray(rows, dtype=np.float32)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@pytest.fixture(scope="module")
def small(corpus: Corpus) -> Corpus:
    """A corpus of two sources, some claims and two kinds of question."""
    return cut(corpus, ("feder2014", "girgenti2017"))


def cut(corpus: Corpus, keys: tuple[str, ...]) -> Corpus:
    """The corpus with those sources alone."""
    briefs = ("works.overall", "mech.how")
    return replace(
        corpus,
        sources={key: corpus.sources[key] for key in keys},
        passages={i: p for i, p in corpus.passages.items() if p.source in keys},
        claims={i: c for i, c in corpus.claims.items() if set(c.sources) <= set(keys)},
        briefs={brief: corpus.briefs[brief] for brief in briefs},
        examples={brief: corpus.examples[brief][:5] for brief in briefs},
        hash=hashlib.sha256(" ".join(keys).encode()).hexdigest(),
    )


def reworded(corpus: Corpus, identifier: str, text: str) -> Corpus:
    """The corpus with one claim's text changed, and so another hash."""
    claims = {**corpus.claims, identifier: replace(corpus.claims[identifier], text=text)}
    return replace(corpus, claims=claims, hash=hashlib.sha256(text.encode()).hexdigest())


def held(index: Index, corpus: Corpus) -> dict[str, str]:
    """Text by id, as the store holds it."""
    found: Any = index._open(corpus.topic.id)._collection.get(include=["documents"])
    return dict(zip(found["ids"], found["documents"], strict=True))


def told(corpus: Corpus) -> dict[str, str]:
    return {entry.id: entry.text for entry in entries(corpus)}


# What is indexed


def test_every_claim_passage_and_example_is_an_entry(corpus: Corpus) -> None:
    found = list(entries(corpus))
    assert len({entry.id for entry in found}) == len(found)
    by_kind = {kind: [e for e in found if e.kind == kind] for kind in ("claim", "passage", "example")}
    assert {e.ref for e in by_kind["claim"]} == set(corpus.claims)
    assert {e.ref for e in by_kind["passage"]} == set(corpus.passages)
    assert len(by_kind["example"]) == sum(map(len, corpus.examples.values()))


def test_an_entry_s_hash_is_of_text_and_model(monkeypatch: pytest.MonkeyPatch, small: Corpus) -> None:
    before = {e.id: e.hash for e in entries(small)}
    after = {e.id: e.hash for e in entries(reworded(small, CLAIM, "Other words."))}
    assert {i for i in before if before[i] != after[i]} == {f"claim:{CLAIM}"}
    monkeypatch.setattr("server.index.MODEL", "another model")
    assert all(before[e.id] != e.hash for e in entries(small))


def test_the_stamp_is_of_corpus_and_model(small: Corpus) -> None:
    assert stamp(small) == f"{small.hash}:{MODEL}"


def test_two_checkouts_never_share_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = index_folder(tmp_path)
    assert here.is_relative_to(tmp_path)
    monkeypatch.setattr("server.index.CORPUS", tmp_path / "elsewhere")
    assert index_folder(tmp_path) != here


# Building


def test_a_first_build_embeds_everything_once_and_stamps_it(small: Corpus, tmp_path: Path) -> None:
    fake = Fake()
    index = Index(tmp_path, fake)
    assert not index.is_ready(small)
    seen: list[tuple[int, int]] = []
    total = len(told(small))
    assert index.build(small, lambda done, whole: seen.append((done, whole))) == total
    assert index.is_ready(small)
    assert held(index, small) == told(small)
    assert sorted(fake.texts) == sorted(told(small).values())
    assert seen == [(min(start + BATCH, total), total) for start in range(0, total, BATCH)]


def test_nothing_changed_embeds_nothing(small: Corpus, tmp_path: Path) -> None:
    Index(tmp_path, Fake()).build(small)
    again = Fake()
    index = Index(tmp_path, again)
    assert index.is_ready(small)
    assert index.build(small) == 0
    assert again.texts == []


def test_force_embeds_everything_again(small: Corpus, tmp_path: Path) -> None:
    index = Index(tmp_path, Fake())
    total = index.build(small)
    assert index.build(small, force=True) == total
    assert held(index, small) == told(small)
    assert index.is_ready(small)


def test_one_changed_claim_is_all_that_is_embedded(small: Corpus, tmp_path: Path) -> None:
    Index(tmp_path, Fake()).build(small)
    changed = reworded(small, CLAIM, "In a small trial, scores were lower.")
    fake = Fake()
    index = Index(tmp_path, fake)
    assert not index.is_ready(changed)
    assert index.build(changed) == 1
    assert fake.texts == ["In a small trial, scores were lower."]
    assert held(index, changed) == told(changed)
    assert index.is_ready(changed)
    assert not index.is_ready(small)


def test_what_the_corpus_no_longer_holds_is_removed(corpus: Corpus, small: Corpus, tmp_path: Path) -> None:
    index = Index(tmp_path, Fake())
    index.build(small)
    less = cut(corpus, ("feder2014",))
    assert index.build(less) == 0
    assert held(index, less) == told(less)
    assert not [i for i in held(index, less) if "girgenti" in i]
    assert index.is_ready(less)


def test_a_removed_example_leaves_no_trace(small: Corpus, tmp_path: Path) -> None:
    index = Index(tmp_path, Fake())
    index.build(small)
    less = replace(small, examples={b: q[:-1] for b, q in small.examples.items()}, hash="less")
    assert index.build(less) == 0
    assert held(index, less) == told(less)


def test_an_interrupted_run_is_completed_without_its_first_batches(
    monkeypatch: pytest.MonkeyPatch, small: Corpus, tmp_path: Path
) -> None:
    monkeypatch.setattr("server.index.BATCH", 8)
    broken = Fake(breaks_after=3)
    with pytest.raises(KeyboardInterrupt):
        Index(tmp_path, broken).build(small)
    assert len(broken.texts) == 24
    rest = Fake()
    index = Index(tmp_path, rest)
    assert not index.is_ready(small)
    assert index.build(small) == len(told(small)) - 24
    assert set(rest.texts).isdisjoint(broken.texts)
    assert index.is_ready(small)
    assert held(index, small) == told(small)


class Failing(Fake):
    """An embedder that fails as a program does, not as a person who stops it."""

    def encode(self, texts: list[str], batch_size: int = 32) -> NDArray[np.float32]:
        if len(self.batches) == 2:
            self.batches.append(0)
            raise RuntimeError("out of memory")
        return super().encode(texts, batch_size)


def test_a_failing_embedder_loses_no_finished_batch(
    monkeypatch: pytest.MonkeyPatch, small: Corpus, tmp_path: Path
) -> None:
    monkeypatch.setattr("server.index.BATCH", 8)
    failing = Failing()
    index = Index(tmp_path, failing)
    with pytest.raises(RuntimeError):
        index.build(small)
    rest = Fake()
    assert Index(tmp_path, rest).build(small) == len(told(small)) - 16


def _spoil(folder: Path, only: str | None) -> int:
    spoilt = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (only is None or path.name == only):
            path.write_bytes(b"garbage " * max(1, path.stat().st_size // 8))
            spoilt += 1
    return spoilt


@pytest.mark.parametrize("only", ["chroma.sqlite3", None])
def test_a_corrupt_store_is_rebuilt_with_a_warning(small: Corpus, tmp_path: Path, only: str | None) -> None:
    Index(tmp_path, Fake()).build(small)
    _forget()
    assert _spoil(index_folder(tmp_path), only) >= 1
    index = Index(tmp_path, Fake())
    assert not index.is_ready(small)
    with capture_logs() as logs:
        assert index.build(small) == len(told(small))
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("index.rebuilt", "warning")]
    assert held(index, small) == told(small)
    assert index.is_ready(small)


@pytest.mark.parametrize("content", [b"", b"not a database"])
def test_a_cut_off_store_is_rebuilt(small: Corpus, tmp_path: Path, content: bytes) -> None:
    Index(tmp_path, Fake()).build(small)
    _forget()
    (index_folder(tmp_path) / "chroma.sqlite3").write_bytes(content)
    index = Index(tmp_path, Fake())
    assert not index.is_ready(small)
    assert index.build(small) == len(told(small))
    assert index.is_ready(small)


def test_a_store_without_its_vectors_is_not_ready_or_still_answers(small: Corpus, tmp_path: Path) -> None:
    """Spoilt vector files beside a sound database: found at the start, not at the first question."""
    Index(tmp_path, Fake()).build(small)
    _forget()
    for path in index_folder(tmp_path).rglob("*.bin"):
        path.write_bytes(b"garbage")
    fake = Fake()
    index = Index(tmp_path, fake)
    if not index.is_ready(small):
        index.build(small)
    vector = fake.encode([small.claims[CLAIM].text])[0]
    assert index.search(small.topic.id, vector, "claim", 1)[0][0] == CLAIM
    assert len(index.examples(small).briefs) == 10


def _forget() -> None:
    """Chroma keeps an opened store in memory for the process; a new start does not."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


# Searching


def test_search_finds_the_nearest_of_a_kind(small: Corpus, tmp_path: Path) -> None:
    fake = Fake()
    index = Index(tmp_path, fake)
    index.build(small)
    for kind, ref, text in (
        ("claim", CLAIM, small.claims[CLAIM].text),
        ("passage", "feder2014.results.1", small.passages["feder2014.results.1"].text),
    ):
        found = index.search(small.topic.id, fake.encode([text])[0], kind, 5)  # type: ignore[arg-type]
        assert len(found) == 5
        assert found[0][0] == ref
        assert found[0][1] == pytest.approx(1.0, abs=1e-4)
        similarities = [similarity for _, similarity in found]
        assert similarities == sorted(similarities, reverse=True)
        assert all(-1.001 <= similarity <= 1.001 for similarity in similarities)


def test_examples_come_back_with_their_vectors(small: Corpus, tmp_path: Path) -> None:
    fake = Fake()
    index = Index(tmp_path, fake)
    index.build(small)
    examples = index.examples(small)
    assert examples.vectors.shape == (10, DIMENSIONS)
    assert examples.vectors.dtype == np.float32
    assert sorted(examples.briefs) == ["mech.how"] * 5 + ["works.overall"] * 5
    expected = {brief: fake.encode(list(questions)) for brief, questions in small.examples.items()}
    for vector, brief in zip(examples.vectors, examples.briefs, strict=True):
        assert float(np.max(expected[brief] @ vector)) == pytest.approx(1.0, abs=1e-4)


# The real model, and a real server


def test_the_real_embedder_gives_unit_vectors(embedder: Embedder) -> None:
    vectors = embedder.encode(["Does ketamine help?", "Will ketamine help with it?", "The weather is fine."])
    assert vectors.shape == (3, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert near > 0.7 > far
    assert embedder.embed_query("Does ketamine help?") == pytest.approx(vectors[0].tolist(), abs=1e-5)
    assert embedder.encode([]).shape == (0, DIMENSIONS)


def test_tests_reach_loopback_only() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="only loopback"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match="only loopback"):
        socket.getaddrinfo("example.org", 443)
    with socket.socket() as listening, socket.socket() as inside:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        inside.connect(listening.getsockname())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def _closed_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chroma's HTTP clients are never closed by themselves; a socket left open is a warning, and so an error."""
    opened: list[httpx.Client] = []
    real = httpx.Client

    def recorded(*arguments: Any, **named: Any) -> httpx.Client:
        opened.append(real(*arguments, **named))
        return opened[-1]

    monkeypatch.setattr("httpx.Client", recorded)
    yield
    for client in opened:
        client.close()


@pytest.fixture
def server(tmp_path: Path, _closed_clients: None) -> Iterator[str]:
    """A Chroma server of its own on a free port; ended by its process id."""
    port = _free_port()
    command = [str(CHROMA), "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(tmp_path / "store")]
    with (tmp_path / "chroma.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
        try:
            _wait(f"http://127.0.0.1:{port}/api/v2/heartbeat", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the Chroma server ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the Chroma server did not answer")


def test_a_chroma_server_instead_of_the_embedded_store(server: str, small: Corpus, tmp_path: Path) -> None:
    fake = Fake()
    index = Index(tmp_path / "data", fake, server)
    assert not index.is_ready(small)
    assert index.build(small) == len(told(small))
    assert index.is_ready(small)
    assert not (index_folder(tmp_path / "data") / "chroma.sqlite3").exists()

    other = Fake()
    beside = Index(tmp_path / "other", other, server)
    assert beside.is_ready(small)
    changed = reworded(small, CLAIM, "In a small trial, scores were lower.")
    assert beside.build(changed) == 1
    vector = fake.encode(["In a small trial, scores were lower."])[0]
    (ref, similarity), *_ = beside.search(small.topic.id, vector, "claim", 3)
    assert ref == CLAIM
    assert similarity == pytest.approx(1.0, abs=1e-4)
    assert sorted(set(index.examples(small).briefs)) == sorted(small.examples)


@pytest.mark.usefixtures("_closed_clients")
def test_a_server_that_is_not_there_is_an_error_and_not_a_rebuild(small: Corpus, tmp_path: Path) -> None:
    index = Index(tmp_path, Fake(), f"http://127.0.0.1:{_free_port()}")
    assert not index.is_ready(small)
    with pytest.raises(ValueError, match=r"(?i)chroma server"):
        index.build(small)
