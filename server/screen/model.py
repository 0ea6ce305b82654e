"""The trained part of the screen: MiniLM fine-tuned on our own messages, in ONNX, beside the rules.

It reads every message in windows, and the last three together. Either alarm, the rules' or this one, is enough.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.screen.labels import LABELS, NONE, TURNS, joined

FOLDER = Path(__file__).with_name("model")
BATCH = 16
WINDOW = 70  # words
STEP = 50
READ = 40  # windows that the network reads at most; of more, those whose words tell most
BACK = 3  # last messages that are read together with the two before each
LONGEST_WORD = 40  # letters
FOLLOWED_UP = frozenset({"imminent", "passive", "self_harm"})
_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")


class ModelError(RuntimeError):
    """The screen's model cannot be loaded: one line that says what is wrong. Never a silent fallback."""


def windows(text: str) -> Iterator[str]:
    """The text in overlapping windows of 70 words; a short one is one window."""
    words = text.split()
    yield " ".join(words[:WINDOW])
    for start in range(STEP, max(0, len(words) - WINDOW) + STEP, STEP):
        yield " ".join(words[start : start + WINDOW])


def has_words(text: str) -> bool:
    """Whether the text holds a word at all: what the network says of keys at random means nothing."""
    return any(1 < len(word) <= LONGEST_WORD and not word.isdigit() for word in _WORD.findall(text.lower()))


class Model:
    """The network and its limits. Raises ModelError where a file is missing or is not the one expected."""

    def __init__(self, folder: Path = FOLDER) -> None:
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            weights = (folder / "model.onnx").read_bytes()
            coder = (folder / "tokenizer.json").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError(f"the safety model cannot be read: {getattr(error, 'filename', None) or error}") from None
        if hashlib.sha256(weights).hexdigest() != config.get("sha256"):
            raise ModelError("the safety model's weights are not the expected file (sha256 differs)")
        if tuple(config["labels"]) != LABELS:
            raise ModelError("the safety model's labels are not the screen's")
        self.limits: dict[str, float] = config["thresholds"]
        self._words: dict[str, float] = config["words"]
        self._session, self._coder = _session(weights), _coder(coder, int(config["recipe"]["max_tokens"]))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Shape (texts, labels), each row adding up to 1; texts of like length run together."""
        found = np.zeros((len(texts), len(LABELS)))
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            coded = self._coder.encode_batch([texts[place] for place in places])
            feed = {
                "ids": np.array([one.ids for one in coded], dtype=np.int64),
                "mask": np.array([one.attention_mask for one in coded], dtype=np.int64),
            }
            logits = self._session.run(None, feed)[0].astype(np.float64)
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            found[places] = powers / powers.sum(axis=1, keepdims=True)
        return found

    def label(self, probabilities: NDArray[np.float64]) -> str:
        """The label of one row: `none` under the limit, else the likeliest danger; imminent has a limit of its own."""
        by_label = dict(zip(LABELS, probabilities.tolist(), strict=True))
        if 1 - by_label[NONE] < self.limits["danger"]:
            return NONE
        if by_label["imminent"] >= self.limits["imminent"]:
            return "imminent"
        return max((name for name in LABELS if name != NONE), key=lambda name: by_label[name])

    def telling(self, text: str) -> float:
        """How much the words of a window speak of danger: a linear score, good enough to choose what is read."""
        return sum(self._words.get(word, 0.0) for word in set(_WORD.findall(text.lower())))

    def _parts(self, messages: Sequence[str]) -> list[tuple[int, bool, str]]:
        """(message, is it read with those before it, text) of all that is read; what recurs is read once."""
        found: dict[tuple[int, bool, str], None] = {}
        for place, message in enumerate(messages):
            for window in windows(message):
                found[place, False, window] = None
            if place and place >= len(messages) - BACK:
                found[place, True, joined(messages[: place + 1])] = None
        parts = [part for part in found if has_words(part[2])]
        if len(parts) > READ:
            parts = sorted(parts, key=lambda part: -self.telling(part[2]))[:READ]
        return parts

    def labels(self, messages: Sequence[str]) -> list[str]:
        """The most urgent label of each message, of any of its windows.

        What a message says only together with the two before it counts too; a crisis only where those said nothing by
        themselves, since one that was seen is followed up by the rules' dialogue and not announced again.
        """
        parts = self._parts(messages)
        own, together = [NONE] * len(messages), [NONE] * len(messages)
        rows: Iterable[NDArray[np.float64]] = self.probabilities([text for *_, text in parts]) if parts else []
        for (place, is_joined, _), row in zip(parts, rows, strict=True):
            found = together if is_joined else own
            found[place] = more_urgent(found[place], self.label(row))
        for place, label in enumerate(together):
            before = own[max(0, place - TURNS + 1) : place]
            if own[place] == NONE and (label not in FOLLOWED_UP or all(one == NONE for one in before)):
                own[place] = label
        return own


def more_urgent(one: str, other: str) -> str:
    """The label that counts where two are seen: the order of LABELS, `none` last."""
    ranked = (*LABELS[1:], NONE)
    return min(one, other, key=ranked.index)


def _session(weights: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _coder(content: str, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    coder = Tokenizer.from_str(content)
    coder.enable_truncation(max_tokens, direction="left")
    coder.enable_padding()
    return coder


@cache
def load(folder: Path = FOLDER) -> Model:
    """The model that ships with the package, loaded once. Raises ModelError."""
    return Model(folder)
