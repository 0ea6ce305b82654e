"""The trained support verifier that ships with the project: does this passage say that?

A passage is read once and kept a while; its claims come after it, each blind to the others, and cost their own tokens.
How it was made and how far it can be believed: `server/verify/model/README.md`.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.reading_level import split_sentences
from server.verify.layout import AFTER, BEFORE, BETWEEN, CLAIM, Row, after, batches, passages_of
from server.verify.network import Network
from server.verify.support import Reading

FOLDER = Path(__file__).parent / "model"
WEIGHTS, CONFIG, TOKENIZER = "weights.safetensors", "config.json", "tokenizer.json"
WINDOW = 640  # tokens of a passage that are read at a time
JOINED = 2560  # tokens of several passages that a claim is held against at a time
ROW = 640  # tokens of claims in a row
TOGETHER = 4096  # tokens that are read at one go, or held against at one go
KEPT = 16384  # tokens of passages that stay read, at about 15 kB each


class VerifierError(RuntimeError):
    """The support model cannot be loaded: one line that says what is wrong. Never a silent fallback."""


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim, 0 to 1 (calibrated), and the window of the passage that does so best."""

    score: float
    window: str


def _files(folder: Path) -> tuple[dict[str, Any], bytes, bytes]:
    """(config, weights, tokenizer), the latter two as their hashes in the config say. Raises VerifierError."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        found = [(folder / name).read_bytes() for name in (WEIGHTS, TOKENIZER)]
        known = dict(config["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VerifierError(f"the support model cannot be read: {getattr(error, 'filename', None) or error}") from None
    for name, content in zip((WEIGHTS, TOKENIZER), found, strict=True):
        if hashlib.sha256(content).hexdigest() != known.get(name):
            raise VerifierError(f"the support model's {name} is not the expected file (sha256 differs)")
    return config, found[0], found[1]


def check(folder: Path = FOLDER) -> None:
    """Raises VerifierError where a file is missing or is another one; takes a tenth of a second, loads nothing."""
    _files(folder)


class Verifier:
    """The network, its calibration and its limit. Raises VerifierError where a file is missing or is another one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        config, weights, coder = _files(folder)
        self.threshold = float(config["threshold"])
        self._slope, self._shift = float(config["slope"]), float(config["shift"])
        # Verdicts that are kept are known by this: other weights, another calibration make them anew.
        self.digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
        self._network, self._coder = Network(config["shape"], weights), _coder(coder)
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

    def remember(self, passages: Iterable[str]) -> None:
        """Read these passages now: claims that are held against one of them soon cost their own tokens only."""
        self._read([part for whole in passages for one in self.windows(whole) for part in passages_of(one)])

    def forget(self) -> None:
        """Keep nothing of the passages that were read."""
        with self._lock:
            self._kept.clear()

    def _read(self, passages: Iterable[str]) -> dict[str, Any]:
        """What was read of each passage, now or before; the ones used last are kept."""
        wanted = list(dict.fromkeys(passages))
        with self._lock:
            found = {one: self._kept[one] for one in wanted if one in self._kept}
        fresh = [one for one in wanted if one not in found]
        coded = [self._ids(BEFORE + one) for one in fresh]
        for batch in batches([len(ids) for ids in coded], TOGETHER):
            read = self._network.read([coded[place] for place in batch])
            found |= {fresh[place]: kept for place, kept in zip(batch, read, strict=True)}
        with self._lock:
            for one in wanted:
                self._kept[one] = found[one]
                self._kept.move_to_end(one)
            size = sum(one.shape[3] for one in self._kept.values())
            while size > KEPT:
                size -= self._kept.popitem(last=False)[1].shape[3]
        return found

    def probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits."""
        return np.asarray(1 / (1 + np.exp(-(self._slope * logits + self._shift))), np.float64)

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._coder.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        return found

    def windows(self, passage: str) -> list[str]:
        """The passage in windows of whole sentences, two of them shared by neighbours; a short one is one window.

        So are several short ones that are joined.
        """
        sizes = [len(self._ids(part)) for part in passages_of(passage)]
        if max(sizes) <= WINDOW and sum(sizes) <= JOINED:
            return [passage]
        parts = [(part, len(self._ids(part))) for whole in split_sentences(passage) for part in self._pieces(whole)]
        found, start = [], 0
        while start < len(parts):
            end, size = start, 0
            while end < len(parts) and (end == start or size + parts[end][1] <= WINDOW):
                size += parts[end][1]
                end += 1
            found.append(" ".join(part for part, _ in parts[start:end]))
            if end == len(parts):
                break
            start = max(start + 1, end - 2)
        return found

    def _pieces(self, sentence: str) -> Iterator[str]:
        """A sentence that is itself over the limit, by words."""
        if len(self._ids(sentence)) <= WINDOW:
            yield sentence
            return
        words = sentence.split()
        half = len(words) // 2
        for some in (words[:half], words[half:]) if half else ([sentence[:WINDOW]],):
            yield from self._pieces(" ".join(some))

    def logits(self, readings: Sequence[Reading]) -> list[NDArray[np.float64]]:
        """Raw logits of each reading's claims; its passage must fit a window."""
        rows: list[tuple[int, list[str], list[list[int]]]] = []  # place of the reading, its passages, its claims' ids
        close = self._ids(AFTER)
        for place, (passage, claims) in enumerate(readings):
            tails = [self._ids(BETWEEN + claim)[:CLAIM] + close for claim in claims]
            parts = passages_of(passage)
            most = max(1, ROW // max((len(tail) for tail in tails), default=1))
            rows += [(place, parts, tails[start : start + most]) for start in range(0, len(tails), most)]
        sizes = {part: len(self._ids(BEFORE + part)) for _, parts, _ in rows for part in parts}
        long = [sum(sizes[part] for part in parts) + sum(map(len, tails)) for _, parts, tails in rows]
        by_row: list[NDArray[np.float64]] = [np.zeros(0)] * len(rows)
        for batch in batches(long, TOGETHER):
            kept = self._read(part for at in batch for part in rows[at][1])
            held = [[kept[part] for part in rows[at][1]] for at in batch]
            claims_after: list[Row] = [
                after([one.shape[3] for one in some], rows[at][2]) for at, some in zip(batch, held, strict=True)
            ]
            together = self._network.logits(claims_after, held)
            cuts = np.cumsum([len(row.ends) for row in claims_after])[:-1]
            for at, logits in zip(batch, np.split(together, cuts), strict=True):
                by_row[at] = logits
        found: list[list[NDArray[np.float64]]] = [[np.zeros(0)] for _ in readings]
        for (place, _, _), logits in zip(rows, by_row, strict=True):
            found[place].append(logits)
        return [np.concatenate(some) for some in found]

    def support(self, readings: Sequence[Reading]) -> list[list[Support]]:
        """How far each reading's passage, of any length, supports each of its claims: the best of its windows."""
        windows = [self.windows(passage) for passage, _ in readings]
        asked = [(one, claims) for some, (_, claims) in zip(windows, readings, strict=True) for one in some]
        scores = iter([self.probability(logits) for logits in self.logits(asked)])
        return [_best(some, [next(scores) for _ in some]) for some in windows]


def _best(windows: Sequence[str], scores: Sequence[NDArray[np.float64]]) -> list[Support]:
    """The best of the windows for each claim; `scores` has one array, a score a claim, for each window."""
    table = np.stack(scores)
    return [Support(float(table[at, place]), windows[at]) for place, at in enumerate(table.argmax(axis=0))]


def _coder(content: bytes) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_buffer(content)


@cache
def load(folder: Path = FOLDER) -> Verifier:
    """The verifier that ships with the package, loaded once. Raises VerifierError."""
    return Verifier(folder)
