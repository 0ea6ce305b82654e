"""The trained support verifier that ships with the project: does this passage say that?

A passage is read once and kept a while; its claims come after it, each blind to the others, and cost their own tokens.
How it was made and how far it can be believed: `server/verify/model/README.md`.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from server.reading_level import split_sentences
from server.verify.layout import AFTER, BEFORE, BETWEEN, CLAIM, HEADING, JOIN, Row, after, batches, passages_of
from server.verify.network import Network
from server.verify.support import Reading

HERE = Path(__file__).parent
FOLDER = HERE / "model"
SCORED_BY = ("layout.py", "model.py", "network.py", "packing.py", "support.py")  # with other code, scores may be others
WEIGHTS, CONFIG, TOKENIZER = "weights.safetensors", "config.json", "tokenizer.json"
WINDOW = 640  # tokens of a passage that are read at a time
JOINED = 2560  # tokens of several passages that a claim is held against at a time
ROW = 640  # tokens of claims in a row
TOGETHER = 4096  # tokens that are read at one go, or held against at one go
KEPT = 256_000_000  # bytes of passages that stay read: a token takes 15 kB in 16 bits, 30 kB in 32


class VerifierError(RuntimeError):
    """The support model cannot be loaded: one line that says what is wrong. Never a silent fallback."""


class Config(BaseModel):
    """What lies beside the weights: hashes, shape, calibration and limit; how it was made is for readers."""

    sha256: dict[str, str]
    shape: dict[str, Any]
    slope: float = Field(gt=0, allow_inf_nan=False)
    shift: float = Field(allow_inf_nan=False)
    threshold: float = Field(gt=0, lt=1)


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim, 0 to 1 (calibrated), and the window of the passage that does so best."""

    score: float
    window: str


def _files(folder: Path) -> tuple[Config, bytes, bytes]:
    """(config, weights, tokenizer), the latter two as their hashes in the config say. Raises VerifierError."""
    try:
        config = Config.model_validate_json((folder / CONFIG).read_bytes())
        found = [(folder / name).read_bytes() for name in (WEIGHTS, TOKENIZER)]
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise VerifierError(f"the support model's {CONFIG} cannot be used: {place or CONFIG}: {wrong['msg']}") from None
    except OSError as error:
        raise VerifierError(f"the support model cannot be read: {error.filename or error}") from None
    for name, content in zip((WEIGHTS, TOKENIZER), found, strict=True):
        if hashlib.sha256(content).hexdigest() != config.sha256.get(name):
            raise VerifierError(f"the support model's {name} is not the expected file (sha256 differs)")
    return config, found[0], found[1]


def check(folder: Path = FOLDER) -> None:
    """Raises VerifierError where a file is missing or is another one; takes a tenth of a second, loads nothing."""
    _files(folder)


class Verifier:
    """The network, its calibration and its limit. Raises VerifierError where a file is missing or is another one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        config, weights, coder = _files(folder)
        self.threshold, self._slope, self._shift = config.threshold, config.slope, config.shift
        # Verdicts that are kept are known by this: other weights, calibration or code make them anew.
        parts = [config.model_dump_json().encode(), *((HERE / name).read_bytes() for name in SCORED_BY)]
        self.digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
        self._network, self._coder = Network(config.shape, weights), _coder(coder)
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

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
            size = sum(one.nbytes for one in self._kept.values())
            while size > KEPT:
                size -= self._kept.popitem(last=False)[1].nbytes
        return found

    def probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits."""
        return np.asarray(1 / (1 + np.exp(-(self._slope * logits + self._shift))), np.float64)

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._coder.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        return found

    def windows(self, passage: str) -> list[str]:
        """The passage in windows of whole sentences, two of them shared by neighbours; a short one is one window.

        Each begins with the passage's heading. Joined passages stay together, as many windows of theirs as go together.
        """
        parts = [self._windows(part) for part in passages_of(passage)]
        if len(parts) == 1:
            return parts[0]
        groups: list[list[str]] = [[]]
        size = 0
        for one in (window for some in parts for window in some):
            long = len(self._ids(one))
            if groups[-1] and size + long > JOINED:
                groups.append([])
                size = 0
            groups[-1].append(one)
            size += long
        return [JOIN.join(group) for group in groups]

    def _windows(self, passage: str) -> list[str]:
        """Of one passage, with its heading or without."""
        if len(self._ids(passage)) <= WINDOW:
            return [passage]
        found = HEADING.match(passage)
        heading = found.group() if found and len(self._ids(found.group())) <= WINDOW // 4 else ""
        room = WINDOW - len(self._ids(heading))
        body = passage[len(heading) :]
        whole = split_sentences(body) or [body]
        parts = [(part, len(self._ids(part))) for one in whole for part in self._pieces(one, room)]
        windows, start = [], 0
        while start < len(parts):
            end, size = start, 0
            while end < len(parts) and (end == start or size + parts[end][1] <= room):
                size += parts[end][1]
                end += 1
            windows.append(heading + " ".join(part for part, _ in parts[start:end]))
            if end == len(parts):
                break
            start = max(start + 1, end - 2)
        return windows

    def _pieces(self, text: str, most: int) -> Iterator[str]:
        """The text, or halves of halves of it, by words or else by letters, until none is over `most` tokens."""
        if len(self._ids(text)) <= most or len(text) < 2:
            yield text
            return
        words = text.split()
        half = len(words) // 2
        if half:
            halves = [" ".join(words[:half]), " ".join(words[half:])]
        else:
            halves = [text[: len(text) // 2], text[len(text) // 2 :]]
        for one in halves:
            yield from self._pieces(one, most)

    def _claim(self, claim: str) -> list[str]:
        """The claim, or its sentences where it is too long to be read at one go."""
        room = CLAIM - len(self._ids(BETWEEN))
        if len(self._ids(claim)) <= room:
            return [claim]
        return [part for one in split_sentences(claim) or [claim] for part in self._pieces(one, room)]

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
        """How far each reading's passage supports each of its claims, both of any length.

        The best window counts; of a claim that has to be read in parts, the part that is supported least.
        """
        windows = [self.windows(passage) for passage, _ in readings]
        parts = [[self._claim(claim) for claim in claims] for _, claims in readings]
        asked = [
            (one, [part for claim in mine for part in claim])
            for some, mine in zip(windows, parts, strict=True)
            for one in some
        ]
        scores = iter([self.probability(logits) for logits in self.logits(asked)])
        return [
            list(_best(some, np.stack([next(scores) for _ in some]), [len(claim) for claim in mine]))
            for some, mine in zip(windows, parts, strict=True)
        ]


def _best(windows: Sequence[str], scores: NDArray[np.float64], sizes: Sequence[int]) -> Iterator[Support]:
    """Each claim's support; `scores` (windows, parts of all claims), `sizes` how many parts each claim has."""
    start = 0
    for size in sizes:
        mine = scores[:, start : start + size]
        least = int(mine.max(axis=0).argmin())
        window = int(mine[:, least].argmax())
        yield Support(float(mine[window, least]), windows[window])
        start += size


def _coder(content: bytes) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_buffer(content)


@cache
def load(folder: Path = FOLDER) -> Verifier:
    """The verifier that ships with the package, loaded once. Raises VerifierError."""
    return Verifier(folder)
