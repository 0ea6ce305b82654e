"""How far a sentence is supported by the passages that it cites: stored for reviewed claims, else scored when asked.

Each cited passage is read alone; where none of several is enough by itself, they are read together as well.
"""

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from server.reading_level import split_sentences
from server.verify.layout import JOIN, without_heading

Asked = tuple[str, tuple[str, ...]]  # a sentence and the texts of what it cites
Reading = tuple[str, Sequence[str]]  # a passage and the claims that are held against it
DOUBT = 0.5  # a reviewed sentence has been read before: it is doubted where it is rather not supported than supported
LEEWAY = 0.1  # by how much a score may differ on another processor, amply
KEPT = 4096  # verdicts on sentences that no index holds
BATCH = 32  # reviewed sentences that are judged together


class Found(Protocol):
    """How far a passage supports a claim, 0 to 1."""

    @property
    def score(self) -> float:
        """The score."""


class Scorer(Protocol):
    """What scores support. `digest` tells one scorer from another; under `threshold` a sentence is dropped."""

    threshold: float
    digest: str

    def support(self, readings: Sequence[Reading]) -> Sequence[Sequence[Found]]:
        """How far each reading's passage supports each of its claims."""


def verdict_key(asked: Asked, scorer: str) -> str:
    """20 hex digits over the sentence, its passages in order and what scores them."""
    sentence, passages = asked
    return hashlib.sha256("\n".join([scorer, sentence, *passages]).encode()).hexdigest()[:20]


def judged(scorer: Scorer, wanted: Sequence[Asked]) -> list[float]:
    """The support of each sentence by its passages. Sentences that share a passage are read in one go."""
    best = _by_passage(scorer, [(s, p) for s, passages in wanted for p in passages])
    alone = [max((best[s, p] for p in passages), default=0.0) for s, passages in wanted]
    unsure = [
        place for place, (_, passages) in enumerate(wanted) if len(passages) > 1 and alone[place] < scorer.threshold
    ]
    together = _by_passage(scorer, [(wanted[place][0], JOIN.join(wanted[place][1])) for place in unsure])
    for place in unsure:
        found = together[wanted[place][0], JOIN.join(wanted[place][1])]
        alone[place] = max(alone[place], found)
    return alone


def _by_passage(scorer: Scorer, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
    claims: dict[str, dict[str, None]] = {}
    for sentence, passage in pairs:
        claims.setdefault(passage, {})[sentence] = None
    readings = [(passage, list(sentences)) for passage, sentences in claims.items()]
    return {
        (sentence, passage): one.score
        for (passage, sentences), found in zip(readings, scorer.support(readings), strict=True)
        for sentence, one in zip(sentences, found, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Held:
    """A verdict: the score from 0 to 1, and which sentence of each cited passage bears the claim out best."""

    score: float
    best: tuple[int, ...] = ()


def best_sentences(scorer: Scorer, wanted: Sequence[Asked]) -> list[tuple[int, ...]]:
    """For each sentence, and each of its passages, the place of the passage's sentence that supports it best.

    Places are among the sentences under the passage's heading.
    """
    parts = {p: split_sentences(without_heading(p)) for _, passages in wanted for p in passages}
    scores = _by_passage(scorer, [(s, part) for s, passages in wanted for p in passages for part in parts[p]])

    def best(sentence: str, passage: str) -> int:
        listed = parts[passage]
        return max(range(len(listed)), key=lambda place: scores[sentence, listed[place]], default=0)

    return [tuple(best(sentence, passage) for passage in passages) for sentence, passages in wanted]


class Supports:
    """Verdicts by sentence and passages: stored ones cost nothing, others are scored and kept a while."""

    def __init__(self, scorer: Scorer, stored: Mapping[str, Held] | None = None) -> None:
        self.threshold = scorer.threshold
        self._scorer = scorer
        self._stored = stored or {}
        self._recent: OrderedDict[str, Held] = OrderedDict()
        self._lock = Lock()

    def verdicts(self, wanted: Sequence[Asked]) -> list[Held]:
        """A verdict for each sentence; one without a passage has score 0."""
        keys = [verdict_key(asked, self._scorer.digest) for asked in wanted]
        with self._lock:
            known = {key: self._stored.get(key) or self._recent.get(key) for key in keys}
        fresh = {key: asked for key, asked in zip(keys, wanted, strict=True) if known[key] is None}
        asked_now = judged(self._scorer, list(fresh.values()))
        found = {key: Held(score) for key, score in zip(fresh, asked_now, strict=True)}
        with self._lock:
            self._recent.update(found)
            while len(self._recent) > KEPT:
                self._recent.popitem(last=False)
        return [found.get(key) or known[key] or Held(0.0) for key in keys]


def _read(path: Path) -> dict[str, Held]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): Held(float(score), tuple(map(int, best))) for key, (score, best) in held.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def stored_verdicts(
    path: Path, scorer: Scorer, wanted: Sequence[Asked], progress: Callable[[int, int], None]
) -> dict[str, Held]:
    """The verdicts on reviewed sentences: from the file, and from the scorer where it lacks some.

    A file that cannot be read is made anew; one that cannot be written costs time at the next start, no answer.
    """
    known = _read(path)
    keys = {verdict_key(asked, scorer.digest): asked for asked in wanted}
    fresh = [key for key in keys if key not in known]
    found = {key: known[key] for key in keys if key in known}
    for start in range(0, len(fresh), BATCH):
        some = fresh[start : start + BATCH]
        asked = [keys[key] for key in some]
        rows = zip(some, judged(scorer, asked), best_sentences(scorer, asked), strict=True)
        found |= {key: Held(round(score, 6), best) for key, score, best in rows}
        progress(min(start + BATCH, len(fresh)), len(fresh))
    if found != known:
        _write(path, found)
    return found


def _write(path: Path, verdicts: Mapping[str, Held]) -> None:
    beside = path.with_suffix(f".{os.getpid()}.part")
    rows = {key: [held.score, held.best] for key, held in verdicts.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(rows, sort_keys=True), encoding="utf-8")
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
