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


def _timed(verifier: Verifier, made: list[list[Asked]], read_before: bool) -> dict[str, float | None]:
    """Median and 95th percentile of the milliseconds that the answers take, their passages read before or not."""
    times = []
    for asked in made:
        verifier.forget()
        if read_before:
            judged(verifier, asked)
        began = time.perf_counter()
        judged(verifier, asked)
        times.append(1000 * (time.perf_counter() - began))
    return {"median": _median(times), "p95": percentile(times, 95)}


def measure(corpus: Corpus, weights: Path, count: int = ANSWERS) -> dict[str, Any]:
    """Times in milliseconds over so many answers, memory in MB, claims per second.

    On all cores, and on one thread, as the server computes.
    """
    import torch

    before = _peak_mb()
    began = time.perf_counter()
    verifier = Verifier(weights)
    load_ms = 1000 * (time.perf_counter() - began)
    made = answers(corpus, count)
    judged(verifier, made[0])  # the first run sets up memory
    single = [one for asked in made for one in asked][:ALONE]
    alone = []
    for sentence, passages in single:
        verifier.forget()
        began = time.perf_counter()
        verifier.support([(passages[0], [sentence])])
        alone.append(1000 * (time.perf_counter() - began))
    verifier.forget()
    began = time.perf_counter()
    verifier.support([(passages[0], [sentence]) for sentence, passages in single])
    in_batches = len(single) / (time.perf_counter() - began)
    stored = Supports(verifier, {verdict_key(one, verifier.digest): Held(1.0) for asked in made for one in asked})
    kept = []
    for asked in made:
        began = time.perf_counter()
        stored.verdicts(asked)
        kept.append(1000 * (time.perf_counter() - began))
    threads = torch.get_num_threads()
    found = {
        "load_ms": load_ms,
        "threads": threads,
        "answer_ms": _timed(verifier, made, False),
        "read_before_ms": _timed(verifier, made, True),
        "claim_alone_ms": {"median": _median(alone), "p95": percentile(alone, 95)},
        "stored_answer_ms": {"median": _median(kept), "p95": percentile(kept, 95)},
        "claims_per_second": {"alone": 1000 / _median(alone), "in_batches": in_batches},
        "memory_mb": _peak_mb() - before,
    }
    torch.set_num_threads(1)
    found["one_thread_ms"] = _timed(verifier, made, False)
    found["one_thread_read_before_ms"] = _timed(verifier, made, True)
    torch.set_num_threads(threads)
    return found
