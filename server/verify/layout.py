"""How a passage and its claims are laid out for the verifier's network, in training and in use.

One row holds a passage and its claims one after another. A claim sees the passage and itself, never another claim, and
its positions go on from the passage's end: so each claim is judged as if it stood alone, at the cost of its own tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BEFORE = "Passage: "
BETWEEN = "\nClaim: "
AFTER = "\nSupported:"
CLAIM = 96  # tokens of a claim that are read


@dataclass(frozen=True, slots=True)
class Row:
    """One passage with its claims as token ids.

    `segments`: 0 for the passage, k for the k-th claim. `ends`: where each claim's last token is.
    """

    ids: list[int]
    positions: list[int]
    segments: list[int]
    ends: list[int]

    def claims(self) -> "Row":
        """The claims without their passage; positions stay as they are."""
        size = self.segments.count(0)
        ends = [end - size for end in self.ends]
        return Row(self.ids[size:], self.positions[size:], self.segments[size:], ends)


def lay_out(passage: Sequence[int], claims: Sequence[Sequence[int]]) -> Row:
    """A row from the token ids of a passage and of its claims."""
    ids, positions, segments, ends = list(passage), list(range(len(passage))), [0] * len(passage), []
    for number, claim in enumerate(claims, 1):
        ids += claim
        positions += range(len(passage), len(passage) + len(claim))
        segments += [number] * len(claim)
        ends.append(len(ids) - 1)
    return Row(ids, positions, segments, ends)


def batches(sizes: Sequence[int], tokens: int, order: Sequence[int] | None = None) -> list[list[int]]:
    """Places in batches of like length, each of at most `tokens` with padding, or of a single row.

    They are taken in `order`; without one, from the shortest to the longest.
    """
    found: list[list[int]] = []
    longest = 0
    for place in order if order is not None else sorted(range(len(sizes)), key=sizes.__getitem__):
        longest = max(longest, sizes[place])
        if not found or longest * (len(found[-1]) + 1) > tokens:
            found.append([])
            longest = sizes[place]
        found[-1].append(place)
    return found


def stack(some: Sequence[Row]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(ids, positions, segments), each of shape (rows, tokens); padding has segment -1."""
    shape = (len(some), max(len(row.ids) for row in some))
    ids, positions, segments = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    for place, row in enumerate(some):
        size = len(row.ids)
        ids[place, :size], positions[place, :size], segments[place, :size] = row.ids, row.positions, row.segments
    return ids, positions, segments


def ends_of(some: Sequence[Row]) -> tuple[list[int], list[int]]:
    """(which row, which token) each claim ends at, over all of the rows' claims."""
    return [place for place, row in enumerate(some) for _ in row.ends], [end for row in some for end in row.ends]
