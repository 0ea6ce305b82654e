"""Weights as 4 bits will hold them, for a network that learns with them.

A network that is to be stored so is best trained so: the gradient is taken at the rounded weights but added to the
exact ones (straight-through estimator; Bengio and others, 2013). `server/verify/packing.py` stores and reads them.
"""

from typing import Any

from server.verify.packing import LEVELS

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
