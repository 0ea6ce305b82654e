"""The support verifier's network: the lower layers of a Llama decoder, read from 4-bit weights, and one linear head."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.verify.layout import Row, ends_of, stack
from server.verify.packing import PARTS, unpacked

HEAD = "head."


def mask(segments: Any, kind: Any) -> Any:
    """What each token may read: (rows, 1, tokens, tokens), 0 where it may and the least number of `kind` elsewhere."""
    import torch

    place = torch.arange(segments.shape[1], device=segments.device)
    reader, read = segments.unsqueeze(2), segments.unsqueeze(1)
    may = (place[:, None] >= place[None, :]) & ((reader == read) | ((reader > 0) & (read <= 0)))
    return torch.zeros(may.shape, dtype=kind, device=segments.device).masked_fill(~may, torch.finfo(kind).min)[:, None]


def mask_after(sizes: Any, segments: Any, kind: Any) -> Any:
    """The same for claims alone, (rows, 1, tokens, kept + tokens), after passages of `sizes` (rows) tokens in all."""
    import torch

    kept, tokens = int(sizes.max()), segments.shape[1]
    before = (torch.arange(kept)[None, :] < sizes[:, None])[:, None, :].expand(-1, tokens, -1)
    place = torch.arange(tokens)
    own = (place[:, None] >= place[None, :]) & (segments.unsqueeze(2) == segments.unsqueeze(1))
    may = torch.cat([before, own], dim=-1)
    return torch.zeros(may.shape, dtype=kind).masked_fill(~may, torch.finfo(kind).min)[:, None]


def fast_kind() -> Any:
    """16-bit products where the processor has them in hardware, else 32."""
    import torch

    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def _matrices(content: bytes) -> dict[str, Any]:
    from safetensors.torch import load

    tensors = load(content)
    found: dict[str, Any] = {}
    for name, tensor in tensors.items():
        stem, _, part = name.rpartition(".")
        if part == PARTS[0]:
            found[stem] = unpacked({one: tensors[f"{stem}.{one}"] for one in PARTS})
        elif part not in PARTS:
            found[name] = tensor.float()
    return found


class Network:
    """Passages → what was read of them; claims after what was read of their passages → a logit for each claim."""

    def __init__(self, shape: dict[str, Any], content: bytes) -> None:
        import torch
        from transformers import LlamaConfig, LlamaModel

        self._torch, self._kind = torch, fast_kind()
        weights = _matrices(content)
        self._weight, self._bias = weights.pop(f"{HEAD}weight"), weights.pop(f"{HEAD}bias")
        config: Any = LlamaConfig(**shape, use_cache=False)
        config._attn_implementation = "sdpa"
        with torch.device("meta"):
            self._body: Any = LlamaModel(config)
        self._body.load_state_dict({name: one.to(self._kind) for name, one in weights.items()}, assign=True)
        # What no file holds, since it follows from the shape, was left without values.
        self._body.rotary_emb = type(self._body.rotary_emb)(config)

    def read(self, passages: Sequence[Sequence[int]]) -> list[Any]:
        """Keys and values of each passage: (layers, 2, heads, tokens, size of a head).

        They are read together: best those of like length.
        """
        torch = self._torch
        ids = torch.zeros(len(passages), max(len(one) for one in passages), dtype=torch.long)
        for place, one in enumerate(passages):
            ids[place, : len(one)] = torch.tensor(one)
        with torch.inference_mode():  # no token reads what comes after it, so what fills a row up changes nothing
            cache = self._body(input_ids=ids, use_cache=True).past_key_values
            whole = torch.stack([torch.stack([one.keys, one.values]) for one in cache.layers])
            return [whole[:, :, place, :, : len(one)].clone() for place, one in enumerate(passages)]

    def logits(self, tails: Sequence[Row], kept: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
        """One logit for each claim of the rows of claims; `kept` has what `read` gave for each row's passages."""
        from transformers import DynamicCache

        torch = self._torch
        ids, positions, segments = (torch.from_numpy(some) for some in stack(tails))
        joined = [some[0] if len(some) == 1 else torch.cat(list(some), dim=3) for some in kept]
        sizes = torch.tensor([one.shape[3] for one in joined])
        longest = int(sizes.max())
        whole = torch.stack([torch.nn.functional.pad(one, (0, 0, 0, longest - one.shape[3])) for one in joined], dim=2)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(whole):
            cache.update(keys, values, layer)
        with torch.inference_mode():
            last = self._body(
                input_ids=ids,
                position_ids=positions,
                attention_mask=mask_after(sizes, segments, self._kind),
                past_key_values=cache,
            ).last_hidden_state[ends_of(tails)]
            found = torch.nn.functional.linear(last.float(), self._weight, self._bias).squeeze(-1)
            return np.asarray(found.double().numpy(), np.float64)


def shape_of(config: Any) -> dict[str, Any]:
    """What a Llama network's size and place codes follow from, of a transformers config."""
    names = (
        "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads "
        "max_position_embeddings rms_norm_eps rope_parameters"
    ).split()
    found = {name: getattr(config, name) for name in names}
    return dict(json.loads(json.dumps(found)))
