"""Weights in 4 bits: blocks along a row share a scale and a least value in 16 bits, as GGUF's Q4_1 does.

A network that is to be stored so is best trained so: `rounded` gives the weights as they will be read back, and the
gradient is taken there but added to the exact ones (straight-through estimator; Bengio and others, 2013).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 15
BLOCK = 64  # of layers that learn with rounded weights
FINE = 32  # of weights that stay as the GGUF file has them, in its own blocks


def rounded(weights: Any, block: int = BLOCK) -> Any:
    """The weights, of shape (rows, columns), as 4 bits will hold them; columns must be a multiple of the block."""
    import torch

    parts = weights.detach().float().reshape(weights.shape[0], -1, block)
    least = parts.amin(-1, keepdim=True).to(torch.float16).float()
    scale = ((parts.amax(-1, keepdim=True) - least) / LEVELS).to(torch.float16).float()
    places = torch.round((parts - least) / scale.clamp(min=1e-8)).clamp(0, LEVELS)
    return (places * scale + least).reshape(weights.shape)


def packed(weights: Any, block: int) -> dict[str, NDArray[Any]]:
    """`codes` (two to a byte), `scales` and `least` (16 bits) of a matrix; `unpacked` reads them back."""
    parts = np.asarray(weights, np.float32).reshape(weights.shape[0], -1, block)
    least = parts.min(-1, keepdims=True).astype(np.float16)
    scale = ((parts.max(-1, keepdims=True) - least.astype(np.float32)) / LEVELS).astype(np.float16)
    steps = np.maximum(scale.astype(np.float32), 1e-8)
    codes = np.clip(np.rint((parts - least.astype(np.float32)) / steps), 0, LEVELS).astype(np.uint8)
    codes = codes.reshape(weights.shape)
    return {
        "codes": codes[:, ::2] | (codes[:, 1::2] << 4),
        "scales": scale[..., 0],
        "least": least[..., 0],
    }


def unpacked(codes: NDArray[np.uint8], scales: NDArray[np.float16], least: NDArray[np.float16]) -> NDArray[np.float32]:
    """The matrix of 32-bit floats that the parts stand for."""
    rows, blocks = scales.shape
    values = np.empty((rows, codes.shape[1] * 2), np.float32)
    values[:, ::2], values[:, 1::2] = codes & LEVELS, codes >> 4
    parts = values.reshape(rows, blocks, -1)
    found = parts * scales.astype(np.float32)[..., None] + least.astype(np.float32)[..., None]
    return np.asarray(found.reshape(rows, -1), np.float32)
