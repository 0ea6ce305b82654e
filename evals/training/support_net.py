"""The decoder that reads a passage once and all of its claims after it: SmolLM2's lower layers and one linear head."""

from copy import deepcopy
from functools import cache
from typing import Any

from server.llm import local_weights
from server.verify.network import mask

HIDDEN = 576


@cache
def coder() -> Any:
    """SmolLM2's tokenizer, as the GGUF file holds it. Raises ChatModelError where the model is not installed."""
    from transformers import AutoTokenizer

    file = local_weights()
    return AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)


@cache
def whole() -> Any:
    """All of SmolLM2 as a transformers model, in 32 bits, read once: copy it before you change it.

    Raises ChatModelError where it is not installed.
    """
    import torch
    from transformers import AutoModelForCausalLM

    file = local_weights()
    return AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32)


def body(layers: int) -> Any:
    """The lower `layers` blocks of SmolLM2 with its last norm: a transformers LlamaModel in bfloat16."""
    import torch

    source = whole().model
    config = deepcopy(source.config)
    config.num_hidden_layers, config._attn_implementation = layers, "sdpa"
    found = type(source)(config)
    wanted = set(found.state_dict())
    found.load_state_dict({name: value for name, value in source.state_dict().items() if name in wanted})
    return found.to(torch.bfloat16)


def network(layers: int, frozen: int, sources: int, dropout: float) -> Any:
    """(ids, positions, segments, which, ends, source) → logits (claims).

    `which` and `ends` say where each claim ends, `source` which data set it is from: each source has an offset of its
    own, so that a set with few supported claims does not teach doubt. Offset 0 is zero for good, and is ours.
    """
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body(layers)
            self.drop = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(HIDDEN, 1)
            self.offset = torch.nn.Embedding(sources, 1, padding_idx=0)
            torch.nn.init.normal_(self.head.weight, std=0.01)
            torch.nn.init.zeros_(self.head.bias)
            torch.nn.init.zeros_(self.offset.weight)
            for part in [self.body.embed_tokens, *self.body.layers[:frozen]]:
                part.requires_grad_(False)

        def forward(self, ids: Any, positions: Any, segments: Any, which: Any, ends: Any, source: Any = None) -> Any:
            kind = self.body.embed_tokens.weight.dtype
            found = self.body(
                input_ids=ids, position_ids=positions, attention_mask=mask(segments, kind), use_cache=False
            ).last_hidden_state
            logits = self.head(self.drop(found[which, ends].float())).squeeze(-1)
            return logits if source is None else logits + self.offset(source).squeeze(-1)

    return Net()
