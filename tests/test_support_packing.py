"""Weights in 4 bits: read back as they were rounded, and what is rounded already stays."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evals.training.support_packing import BLOCK, FINE, rounded
from server.verify.packing import packed, unpacked

seeds = st.integers(0, 500)


def matrix(seed: int, rows: int = 6, columns: int = 128) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * 0.05


@given(seeds, st.sampled_from([BLOCK, FINE]))
def test_packed_weights_are_read_back_as_they_were_rounded(seed: int, block: int) -> None:
    weights = matrix(seed)
    parts = packed(weights, block)
    assert torch.equal(unpacked(parts), rounded(weights, block))
    assert parts["codes"].nbytes == weights.numel() // 2


@given(seeds)
def test_rounding_moves_a_weight_by_half_a_step_at_most(seed: int) -> None:
    weights = matrix(seed)
    blocks = weights.reshape(6, -1, BLOCK)
    step = (blocks.amax(-1) - blocks.amin(-1)) / 15
    off = (rounded(weights).reshape(6, -1, BLOCK) - blocks).abs().amax(-1)
    assert bool((off <= step * 0.52 + 1e-4).all())


@given(seeds)
def test_what_is_rounded_stays_nearly_as_it_is(seed: int) -> None:
    once = rounded(matrix(seed), FINE)
    assert torch.allclose(rounded(once, FINE), once, atol=2e-4)


@pytest.mark.parametrize("value", [0.0, 0.5, -2.0])
def test_a_block_of_one_value_is_kept(value: float) -> None:
    weights = torch.full((2, 64), value)
    assert torch.equal(rounded(weights), weights)
    assert torch.equal(unpacked(packed(weights, 64)), weights)
