"""The trained support verifier that ships with the project: does this passage say that?

A passage is read once and its claims after it, each blind to the others: a claim costs its own tokens only.
How it was made and how far it can be believed: `server/verify/model/README.md`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.reading_level import split_sentences
from server.verify.layout import AFTER, BEFORE, BETWEEN, CLAIM, Row, batches, lay_out
from server.verify.network import Network
from server.verify.support import Reading

FOLDER = Path(__file__).parent / "model"
WEIGHTS, CONFIG, TOKENIZER = "weights.safetensors", "config.json", "tokenizer.json"
WINDOW = 640  # tokens of a passage that are read at a time
ROW = 1280  # tokens of a passage with its claims
TOGETHER = 4096  # tokens of rows that are read at one go


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
        self._kept: dict[str, Any] = {}

    def remember(self, passages: Iterable[str]) -> None:
        """Read these passages now: claims that are held against one of them later cost their own tokens only.

        It takes about 15 kB a token. A passage that does not fit a window is not kept.
        """
        for passage in passages:
            ids = self._ids(BEFORE + passage)
            if len(ids) <= WINDOW:
                self._kept[passage] = self._network.read(ids)

    def probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits."""
        return np.asarray(1 / (1 + np.exp(-(self._slope * logits + self._shift))), np.float64)

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._coder.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        return found

    def windows(self, passage: str) -> list[str]:
        """The passage in windows of whole sentences, two of them shared by neighbours; a short one is one window."""
        if len(self._ids(passage)) <= WINDOW:
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

    def rows(self, passage: str, claims: Sequence[str]) -> Iterator[Row]:
        """Claims held against one passage that fits a window, in rows of at most ROW tokens."""
        head = self._ids(BEFORE + passage)
        after = self._ids(AFTER)
        tails = [self._ids(BETWEEN + claim)[:CLAIM] + after for claim in claims]
        start = 0
        while start < len(tails):
            end, size = start, len(head)
            while end < len(tails) and (end == start or size + len(tails[end]) <= ROW):
                size += len(tails[end])
                end += 1
            yield lay_out(head, tails[start:end])
            start = end

    def logits(self, readings: Sequence[Reading]) -> list[NDArray[np.float64]]:
        """Raw logits of each reading's claims; its passage must fit a window."""
        rows, of = [], []
        for place, (passage, claims) in enumerate(readings):
            for row in self.rows(passage, claims):
                rows.append(row)
                of.append(place)
        kept = [self._kept.get(readings[place][0]) for place in of]
        by_row: list[NDArray[np.float64]] = [np.zeros(0)] * len(rows)
        for is_kept in (True, False):
            places = [place for place, one in enumerate(kept) if (one is not None) == is_kept]
            for batch in batches([len(rows[place].ids) for place in places], TOGETHER):
                some = [places[at] for at in batch]
                for place, logits in zip(
                    some, self._run([rows[p] for p in some], [kept[p] for p in some]), strict=True
                ):
                    by_row[place] = logits
        parts: list[list[NDArray[np.float64]]] = [[np.zeros(0)] for _ in readings]
        for place, logits in zip(of, by_row, strict=True):
            parts[place].append(logits)
        return [np.concatenate(some) for some in parts]

    def _run(self, rows: Sequence[Row], kept: Sequence[Any]) -> list[NDArray[np.float64]]:
        """Logits row by row; `kept` has what was read of each row's passage, or None for all of them."""
        together = self._network.logits(rows) if kept[0] is None else self._network.logits_after(rows, kept)
        return np.split(together, np.cumsum([len(row.ends) for row in rows])[:-1])

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
