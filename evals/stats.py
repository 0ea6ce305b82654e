"""Small statistics: nothing to measure is None, never 0."""

from collections.abc import Sequence
from math import ceil, sqrt

Z_95 = 1.959963984540054


def share(held: int, asked: int) -> float | None:
    """Share from 0 to 1; None where nothing was asked."""
    return held / asked if asked else None


def wilson(held: int, asked: int, z: float = Z_95) -> tuple[float, float] | None:
    """Wilson score interval of a share (95 % by default); None where nothing was asked."""
    if not asked:
        return None
    if not 0 <= held <= asked:
        raise ValueError("held must lie between 0 and asked")
    rate, square = held / asked, z * z
    centre = (rate + square / (2 * asked)) / (1 + square / asked)
    half = z / (1 + square / asked) * sqrt(rate * (1 - rate) / asked + square / (4 * asked * asked))
    return (0.0 if held == 0 else centre - half, 1.0 if held == asked else centre + half)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Nearest rank: the smallest value that at least `percent` of the values do not exceed; None for no values."""
    if not 0 < percent <= 100:
        raise ValueError("percent must lie above 0 and not above 100")
    ordered = sorted(values)
    return ordered[max(1, ceil(len(ordered) * percent / 100)) - 1] if ordered else None


def middle(values: Sequence[float]) -> float | None:
    """Median, the mean of the two middle values for an even number; None for no values."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mean(values: Sequence[float]) -> float | None:
    """Mean; None for no values."""
    return sum(values) / len(values) if values else None


def largest(values: Sequence[float]) -> float | None:
    """The largest value; None for no values."""
    return max(values) if values else None
