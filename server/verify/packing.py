"""Matrices of 4-bit weights: blocks along a row share a scale and a least value in 16 bits, as GGUF's Q4_1 does."""

from collections.abc import Mapping
from typing import Any

LEVELS = 15
PARTS = ("codes", "scales", "least")


def packed(weights: Any, block: int) -> dict[str, Any]:
    """A matrix as `codes` (two to a byte), `scales` and `least` (16 bits); its columns are a multiple of `block`."""
    import torch

    parts = weights.detach().float().reshape(weights.shape[0], -1, block)
    least = parts.amin(-1).to(torch.float16)
    scales = ((parts.amax(-1) - least.float()) / LEVELS).to(torch.float16)
    steps = scales.float().clamp(min=1e-8)[..., None]
    codes = torch.round((parts - least.float()[..., None]) / steps).clamp(0, LEVELS).to(torch.uint8)
    codes = codes.reshape(weights.shape)
    return {"codes": codes[:, ::2] | (codes[:, 1::2] << 4), "scales": scales, "least": least}


def unpacked(parts: Mapping[str, Any]) -> Any:
    """The matrix, in 32 bits, that the parts stand for."""
    import torch

    codes, scales = parts["codes"], parts["scales"]
    values = torch.stack([codes & LEVELS, codes >> 4], dim=-1)
    found = values.reshape(*scales.shape, -1).float()
    found = found * scales.float()[..., None] + parts["least"].float()[..., None]
    return found.reshape(codes.shape[0], -1)
