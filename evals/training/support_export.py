"""The trained decoder as the folder that the server reads: weights of 4 bits, tokenizer, and what they are known by."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evals.training.support import Recipe, Training
from evals.training.support_packing import BLOCK, FINE
from server.verify.model import CONFIG, TOKENIZER, WEIGHTS
from server.verify.network import HEAD, shape_of
from server.verify.packing import packed

BODY = "body."


def tensors_of(training: Training) -> dict[str, Any]:
    """What the weights' file holds: matrices in 4 bits, the head in 32, all else in 16."""
    import torch

    found: dict[str, Any] = {}
    for name, weights, learns in training.exact():
        if name.startswith(HEAD):
            found[name] = weights.float()
        elif name.startswith(BODY) and weights.ndim == 2:
            parts = packed(weights, BLOCK if learns else FINE)
            found |= {f"{name.removeprefix(BODY)}.{part}": tensor for part, tensor in parts.items()}
        elif name.startswith(BODY):
            found[name.removeprefix(BODY)] = weights.to(torch.bfloat16)
    return {name: tensor.contiguous().cpu() for name, tensor in found.items()}


def export(training: Training, recipes: list[Recipe], folder: Path) -> Path:
    """Weights, tokenizer and an uncalibrated config.json in the folder; the path of the weights."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(save(tensors_of(training)))
    training.coder.backend_tokenizer.save(str(folder / TOKENIZER), pretty=False)
    config = {
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, TOKENIZER)},
        "shape": shape_of(training.net.body.config),
        "slope": 1.0,
        "shift": 0.0,
        "threshold": 0.5,
        "recipes": [asdict(recipe) for recipe in recipes],
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return folder / WEIGHTS
