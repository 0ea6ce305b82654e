"""A trained support model as `python -m evals.training support` leaves it: SmolLM2's lower layers, fine-tuned, in ONNX.

A passage is read once and its claims after it, each blind to the others: a claim costs its own tokens only.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.training.support_layout import AFTER, BEFORE, BETWEEN, CLAIM, lay_out
from server.reading_level import split_sentences

WINDOW = 480  # tokens of a passage that are read at a time
ROW = 1024  # tokens of a passage with its claims


class CandidateError(RuntimeError):
    """The verifier's model cannot be loaded: one line that says what is wrong. Never a silent fallback."""


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim, 0 to 1 (calibrated), and the window of the passage that does so best."""

    score: float
    window: str


class Candidate:
    """The network, its calibration and its limit. Raises CandidateError where a file is missing or is another one."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            weights = (folder / "model.onnx").read_bytes()
            coder = (folder / "tokenizer.json").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise CandidateError(
                f"the support model cannot be read: {getattr(error, 'filename', None) or error}"
            ) from None
        self.digest = hashlib.sha256(weights).hexdigest()
        if self.digest != config.get("sha256"):
            raise CandidateError("the support model's weights are not the expected file (sha256 differs)")
        self.threshold = float(config["threshold"])
        self._slope, self._shift = float(config["slope"]), float(config["shift"])
        self._session, self._coder = _session(weights, threads), _coder(coder)

    def probability(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of logits."""
        return 1 / (1 + np.exp(-(self._slope * logits + self._shift)))

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

    def logits(self, passage: str, claims: Sequence[str]) -> NDArray[np.float64]:
        """Raw logits of claims held against one passage that fits a window."""
        head = self._ids(BEFORE + passage)
        after = self._ids(AFTER)
        tails = [self._ids(BETWEEN + claim)[:CLAIM] + after for claim in claims]
        found: list[NDArray[np.float64]] = []
        start = 0
        while start < len(tails):
            end, size = start, len(head)
            while end < len(tails) and (end == start or size + len(tails[end]) <= ROW):
                size += len(tails[end])
                end += 1
            found.append(self._run(head, tails[start:end]))
            start = end
        return np.concatenate(found) if found else np.zeros(0)

    def _run(self, head: list[int], tails: list[list[int]]) -> NDArray[np.float64]:
        row = lay_out(head, tails)
        feed = {"ids": [row.ids], "positions": [row.positions], "segments": [row.segments], "ends": row.ends}
        found = self._session.run(None, {name: np.array(value, np.int64) for name, value in feed.items()})[0]
        return np.asarray(found, np.float64)

    def support(self, passage: str, claims: Sequence[str]) -> list[Support]:
        """How far one passage, of any length, supports each claim: the best of its windows."""
        if not claims:
            return []
        windows = self.windows(passage)
        scores = np.stack([self.probability(self.logits(window, claims)) for window in windows])
        best = scores.argmax(axis=0)
        return [Support(float(scores[at, place]), windows[at]) for place, at in enumerate(best)]


def _session(weights: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _coder(content: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(content)
