"""How long the verifier takes: claims alone and together, and one answer's worth."""

import resource
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from evals.stats import percentile
from server.corpus import Corpus
from server.verify.model import Verifier
from server.verify.support import Asked, Held, Supports, judged, verdict_key

SENTENCES = 6
PASSAGES = 2
ANSWERS = 40
ALONE = 60


def answers(corpus: Corpus, count: int = ANSWERS) -> list[list[Asked]]:
    """Made-up answers: six reviewed claims, each with two passages of its source, as a chat model's would cite them."""
    claims = cycle(corpus.claims.values())
    found: list[list[Asked]] = []
    for _ in range(count):
        some = list(islice(claims, SENTENCES))
        made = []
        for claim in some:
            near = [p.id for source in claim.sources for p in corpus.sources[source].passages]
            cited = list(dict.fromkeys([*claim.passages, *near, *corpus.passages]))[:PASSAGES]
            made.append((claim.text, tuple(corpus.evidence(p) for p in cited)))
        found.append(made)
    return found


def _peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _median(values: list[float]) -> float:
    return float(percentile(values, 50) or 0.0)


def measure(corpus: Corpus, weights: Path, count: int = ANSWERS) -> dict[str, Any]:
    """Times in milliseconds over so many answers, memory in MB, claims per second."""
    before = _peak_mb()
    began = time.perf_counter()
    verifier = Verifier(weights)
    load_ms = 1000 * (time.perf_counter() - began)
    made = answers(corpus, count)
    judged(verifier, made[0])  # the first run sets up memory
    whole, alone = [], []
    for asked in made:
        verifier.forget()
        began = time.perf_counter()
        judged(verifier, asked)
        whole.append(1000 * (time.perf_counter() - began))
    single = [one for asked in made for one in asked][:ALONE]
    for sentence, passages in single:
        verifier.forget()
        began = time.perf_counter()
        verifier.support([(passages[0], [sentence])])
        alone.append(1000 * (time.perf_counter() - began))
    stored = Supports(verifier, {verdict_key(one, verifier.digest): Held(1.0) for asked in made for one in asked})
    kept = []
    for asked in made:
        began = time.perf_counter()
        stored.verdicts(asked)
        kept.append(1000 * (time.perf_counter() - began))
    memory = _peak_mb() - before
    read_before = []
    for asked in made:
        verifier.remember({passage for _, passages in asked for passage in passages})
        began = time.perf_counter()
        judged(verifier, asked)
        read_before.append(1000 * (time.perf_counter() - began))
    return {
        "load_ms": load_ms,
        "memory_mb": memory,
        "answer_ms": {"median": _median(whole), "p95": percentile(whole, 95)},
        "read_before_ms": {"median": _median(read_before), "p95": percentile(read_before, 95)},
        "claim_alone_ms": {"median": _median(alone), "p95": percentile(alone, 95)},
        "stored_answer_ms": {"median": _median(kept), "p95": percentile(kept, 95)},
        "claims_per_second": {"alone": 1000 / _median(alone), "in_answers": 1000 * SENTENCES / _median(whole)},
    }
