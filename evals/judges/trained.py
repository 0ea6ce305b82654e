"""The judge that is trained beside the verifier: another network, on rows of which the verifier saw none."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.judges.base import JudgeError, Opinion

MAX_TOKENS = 512


def feed(some: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
    """ids, mask and types, each of shape (pairs, tokens)."""
    longest = max(len(one.ids) for one in some)
    found = {name: np.zeros((len(some), longest), np.int64) for name in ("ids", "mask", "types")}
    for place, one in enumerate(some):
        size = len(one.ids)
        found["ids"][place, :size], found["mask"][place, :size] = one.ids, 1
        found["types"][place, :size] = one.type_ids
    return found


class TrainedJudge:
    """MiniLM as a cross-encoder, in ONNX. Raises JudgeError where a file is missing or is another one."""

    name = "trained"

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            weights = (folder / "model.onnx").read_bytes()
            self._coder: Any = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise JudgeError(f"judge trained: cannot be read: {getattr(error, 'filename', None) or error}") from None
        if hashlib.sha256(weights).hexdigest() != config["sha256"]:
            raise JudgeError("judge trained: the weights are not the expected file (sha256 differs)")
        self.limit: float | None = float(config["threshold"])
        self._slope, self._shift = float(config["slope"]), float(config["shift"])
        self._coder.no_padding()
        self._coder.enable_truncation(MAX_TOKENS, strategy="only_first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Calibrated probabilities that the passage supports each claim."""
        found: list[float] = []
        for start in range(0, len(claims), 16):
            coded = self._coder.encode_batch([(passage, " ".join(c.split()[:96])) for c in claims[start : start + 16]])
            logits = self._session.run(None, feed(coded))[0].astype(np.float64)
            found += [float(value) for value in 1 / (1 + np.exp(-(self._slope * logits + self._shift)))]
        return found

    def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
        """Supported where one passage alone or all together reach its limit."""
        texts = [*passages, "\n".join(passages)] if len(passages) > 1 else list(passages)
        if not texts:
            return Opinion(False, "no passage")
        best = max(self.score(text, [sentence])[0] for text in texts)
        return Opinion(best >= (self.limit or 0.5), f"probability {best:.2f}")
