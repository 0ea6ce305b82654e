"""How a passage and its claims are laid out for the verifier's network, in training and in use.

One row holds a passage and its claims one after another. A claim sees the passage and itself, never another claim, and
its positions go on from the passage's end: so each claim is judged as if it stood alone, at the cost of its own tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def lay_out(passage: Sequence[int], claims: Sequence[Sequence[int]]) -> Row:
    """A row from the token ids of a passage and of its claims."""
    ids, positions, segments, ends = list(passage), list(range(len(passage))), [0] * len(passage), []
    for number, claim in enumerate(claims, 1):
        ids += claim
        positions += range(len(passage), len(passage) + len(claim))
        segments += [number] * len(claim)
        ends.append(len(ids) - 1)
    return Row(ids, positions, segments, ends)
