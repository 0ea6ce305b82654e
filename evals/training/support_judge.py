"""The other candidate: MiniLM as a cross-encoder over (passage, claim), trained on rows that the verifier never saw.

It is free to judge in `evals`: it shares no training row with the gate, and not its network either.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.judges.trained import MAX_TOKENS, feed
from evals.training import small_onnx
from evals.training.support_data import Pair
from evals.training.support_rows import mixed
from server.embedding import weights_folder


@dataclass(frozen=True, slots=True)
class JudgeRecipe:
    """Everything that the judge is made with."""

    epochs: int = 4
    tokens: int = 4096
    rate: float = 1e-4
    head_rate: float = 1e-3
    warm_up: float = 0.1
    dropout: float = 0.1
    seed: int = 11


def network(dropout: float) -> Any:
    """(ids, mask, types) → logits (pairs): MiniLM's first token and a linear head over it and the mean of the rest."""
    import torch
    from transformers import AutoModel

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = AutoModel.from_pretrained(str(weights_folder()), local_files_only=True)
            self.drop = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(2 * self.body.config.hidden_size, 1)

        def forward(self, ids: Any, mask: Any, types: Any) -> Any:
            last = self.body(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
            weights = mask.unsqueeze(-1).to(last.dtype)
            mean = (last * weights).sum(1) / weights.sum(1).clamp(min=1e-6)
            return self.head(self.drop(torch.cat([last[:, 0], mean], dim=-1))).squeeze(-1)

    return Net()


def tokenizer() -> Any:
    """The weights' own tokenizer; only the passage is cut."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(MAX_TOKENS, strategy="only_first")
    return found


def encode(coder: Any, pairs: Sequence[Pair]) -> list[Any]:
    """The pairs as the tokenizer's encodings, passage first; a claim is read to 96 words at most."""
    return list(coder.encode_batch([(pair.passage, " ".join(pair.claim.split()[:96])) for pair in pairs]))


def train(pairs: Sequence[Pair], recipe: JudgeRecipe, say: Callable[[str], Any] = print) -> tuple[Any, Any]:
    """(network, tokenizer), trained on all of the pairs in bfloat16 where the processor has it."""
    import torch

    from evals.training.safety import autocast

    torch.manual_seed(recipe.seed)
    shuffle = random.Random(recipe.seed)
    net, coder = network(recipe.dropout), tokenizer()
    coded = encode(coder, pairs)
    wanted = torch.tensor([float(pair.supported) for pair in pairs])
    order = [b for _ in range(recipe.epochs) for b in mixed([len(one.ids) for one in coded], recipe.tokens, shuffle)]
    optimizer = torch.optim.AdamW(
        [
            {"params": list(net.body.parameters()), "lr": recipe.rate},
            {"params": list(net.head.parameters()), "lr": recipe.head_rate},
        ]
    )
    warm = max(1, math.ceil(recipe.warm_up * len(order)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (len(order) - step) / max(1, len(order) - warm)))
    )
    net.train()
    began = last_line = time.monotonic()
    losses: list[float] = []
    for step, places in enumerate(order):
        tensors = {name: torch.from_numpy(value) for name, value in feed([coded[p] for p in places]).items()}
        with autocast():
            logits = net(**tensors)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted[places])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if time.monotonic() - last_line > 60 or step + 1 == len(order):
            last_line = time.monotonic()
            recent = losses[-100:]
            say(f"step {step + 1} of {len(order)}: loss {sum(recent) / len(recent):.3f}, {last_line - began:.0f} s")
    net.eval()
    return net, coder


def export(net: Any, coder: Any, folder: Path) -> Path:
    """model.onnx in 8 bits and tokenizer.json in the folder."""
    import torch

    sample = feed(coder.encode_batch([("a passage", "a claim"), ("another passage", "a longer claim")]))
    return small_onnx.export(net, coder, {name: torch.from_numpy(value) for name, value in sample.items()}, folder)
