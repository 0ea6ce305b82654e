"""Trains the model part of the safety screen: MiniLM with a linear head, exported to ONNX in 8 bits.

`python -m evals.training safety` makes `server/screen/model/` from nothing. The same seed, data and versions give the
same figures within their intervals; bfloat16 on other processors may differ in the last digits.
"""

import hashlib
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.training import small_onnx
from evals.training.safety_data import Message
from server.embedding import weights_folder
from server.screen.labels import LABELS, NONE
from server.screen.model import Model

MAX_TOKENS = 128
IMMINENT = 0.35


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a training is made with."""

    epochs: int = 7
    batch: int = 32
    rate: float = 6e-5
    head_rate: float = 1e-3
    warm_up: float = 0.1
    smoothing: float = 0.05
    dropout: float = 0.1
    seed: int = 7
    max_tokens: int = MAX_TOKENS
    labels: tuple[str, ...] = field(default=LABELS)


def network(labels: int, dropout: float) -> Any:
    """MiniLM, the mean of its last layer over tokens, and one linear layer: (ids, mask) → logits (batch, labels)."""
    import torch
    from transformers import AutoModel

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = AutoModel.from_pretrained(str(weights_folder()), local_files_only=True)
            self.drop = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(self.body.config.hidden_size, labels)

        def forward(self, ids: Any, mask: Any) -> Any:
            last = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(last.dtype)
            mean = (last * weights).sum(1) / weights.sum(1).clamp(min=1e-6)
            return self.head(self.drop(mean))

    return Net()


def tokenizer(max_tokens: int) -> Any:
    """The weights' own tokenizer, cutting from the left so that a dialogue's last words stay."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
    found.enable_truncation(max_tokens, direction="left")
    found.enable_padding()
    return found


def batches(texts: Sequence[str], size: int, shuffle: random.Random | None) -> Iterator[list[int]]:
    """Places of the texts in batches of like length; their order is random where `shuffle` is given."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]) + (shuffle.random() * 40 if shuffle else 0))
    found = [order[start : start + size] for start in range(0, len(order), size)]
    if shuffle:
        shuffle.shuffle(found)
    yield from found


def tensors(coder: Any, texts: Sequence[str]) -> tuple[Any, Any]:
    """Token ids and mask, each of shape (texts, tokens)."""
    import torch

    coded = coder.encode_batch(list(texts))
    return torch.tensor([one.ids for one in coded]), torch.tensor([one.attention_mask for one in coded])


def autocast() -> Any:
    """bfloat16 where the processor is fast at it."""
    import torch

    has = torch.backends.cpu.get_cpu_capability() if hasattr(torch.backends, "cpu") else ""
    return torch.autocast("cpu", torch.bfloat16) if "AVX512" in has or "AMX" in has else nullcontext()


def train(messages: Sequence[Message], recipe: Recipe, say: Any = print) -> tuple[Any, Any]:
    """(network, tokenizer), trained on all of the messages."""
    import torch

    torch.manual_seed(recipe.seed)
    shuffle = random.Random(recipe.seed)
    net, coder = network(len(recipe.labels), recipe.dropout), tokenizer(recipe.max_tokens)
    texts, wanted = [one.read_as for one in messages], [recipe.labels.index(one.label) for one in messages]
    counts = np.bincount(wanted, minlength=len(recipe.labels))
    weights = torch.tensor(np.clip(np.sqrt(counts.max() / np.maximum(counts, 1)), 1, 4), dtype=torch.float32)
    loss_of = torch.nn.CrossEntropyLoss(weights, label_smoothing=recipe.smoothing)
    body, head = list(net.body.parameters()), list(net.head.parameters())
    optimizer = torch.optim.AdamW([{"params": body, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}])
    steps = recipe.epochs * math.ceil(len(texts) / recipe.batch)
    warm = max(1, int(recipe.warm_up * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
    )
    net.train()
    began = time.monotonic()
    for epoch in range(recipe.epochs):
        total = 0.0
        for places in batches(texts, recipe.batch, shuffle):
            ids, mask = tensors(coder, [texts[place] for place in places])
            with autocast():
                logits = net(ids, mask)
            loss = loss_of(logits.float(), torch.tensor([wanted[place] for place in places]))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(places)
        say(f"epoch {epoch + 1} of {recipe.epochs}: loss {total / len(texts):.3f}, {time.monotonic() - began:.0f} s")
    net.eval()
    return net, coder


def export(net: Any, coder: Any, folder: Path) -> Path:
    """model.onnx in 8 bits and tokenizer.json in the folder."""
    ids, mask = tensors(coder, ["a message", "another message that is longer"])
    return small_onnx.export(net, coder, {"ids": ids, "mask": mask}, folder)


def thresholds(found: NDArray[np.float64], wanted: Sequence[str], false_alarms: float) -> dict[str, float]:
    """Limits from held-out messages: on 1 - P(none), so that at most that share of the harmless ones is above it.

    `imminent` is where the crisis card for immediate danger takes precedence over a likelier label.
    """
    doubt = 1 - found[:, LABELS.index(NONE)]
    calm = doubt[[label == NONE for label in wanted]]
    danger = float(np.quantile(calm, 1 - false_alarms)) if len(calm) else 0.5
    return {"danger": round(danger, 4), "imminent": IMMINENT}


def measured(found: NDArray[np.float64], wanted: Sequence[str], limits: dict[str, float]) -> dict[str, Any]:
    """On held-out messages: recall of any danger and of the right label, by label, and false alarms."""
    doubt = 1 - found[:, LABELS.index(NONE)] >= limits["danger"]
    likeliest = [LABELS[1:][place] for place in found[:, 1:].argmax(axis=1)]
    by_label = {}
    for label in LABELS[1:]:
        mine = [place for place, one in enumerate(wanted) if one == label]
        if mine:
            right = sum(bool(doubt[place]) and likeliest[place] == label for place in mine)
            by_label[label] = {"messages": len(mine), "alarm": int(doubt[mine].sum()), "right": right}
    calm = [place for place, one in enumerate(wanted) if one == NONE]
    return {
        "by_label": by_label,
        "harmless": len(calm),
        "false_alarms": int(doubt[calm].sum()),
        "curve": curve(found, wanted),
    }


def curve(found: NDArray[np.float64], wanted: Sequence[str]) -> list[dict[str, float]]:
    """What recall of any danger each share of false alarms buys on held-out messages."""
    doubt = 1 - found[:, LABELS.index(NONE)]
    calm = np.array([label == NONE for label in wanted])
    points = []
    for share in (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15):
        limit = thresholds(found, wanted, share)["danger"]
        recall = float((doubt[~calm] >= limit).mean()) if (~calm).any() else 0.0
        points.append({"false_alarms": share, "limit": limit, "recall": round(recall, 3)})
    return points


def write_config(
    folder: Path,
    recipe: Recipe,
    limits: dict[str, float],
    figures: dict[str, Any],
    sha256: str,
    words: dict[str, float],
) -> None:
    """config.json: labels, limits, hash of the weights, recipe, figures on held-out messages, telling words."""
    content = {
        "labels": list(LABELS),
        "thresholds": limits,
        "sha256": sha256,
        "recipe": asdict(recipe),
        "measured": figures,
        "words": words,
    }
    (folder / "config.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def telling_words(messages: Sequence[Message], keep: int = 4000) -> dict[str, float]:
    """Weight by word of a logistic regression of danger on words: chooses which windows of a long text are read."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = CountVectorizer(binary=True, lowercase=True, token_pattern=r"[^\W_]+(?:'[a-z]+)?", min_df=2)
    table = counter.fit_transform([" ".join(one.messages) for one in messages])
    fitted = LogisticRegression(C=1.0, max_iter=1000, class_weight="balanced").fit(
        table, [one.label != NONE for one in messages]
    )
    weights = zip(counter.get_feature_names_out(), fitted.coef_[0], strict=True)
    ranked = sorted(weights, key=lambda pair: -abs(pair[1]))[:keep]
    return {str(word): round(float(weight), 3) for word, weight in sorted(ranked)}


def calibrate(
    folder: Path, recipe: Recipe, held: Sequence[Message], words: dict[str, float], false_alarms: float
) -> dict[str, Any]:
    """Sets the limits with the exported weights, as they will run, on held-out messages; returns the figures."""
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    write_config(folder, recipe, {"danger": 0.5, "imminent": IMMINENT}, {}, sha256, words)
    found = Model(folder).probabilities([one.read_as for one in held])
    wanted = [one.label for one in held]
    limits = thresholds(found, wanted, false_alarms)
    figures = measured(found, wanted, limits)
    write_config(folder, recipe, limits, figures, sha256, words)
    return figures
