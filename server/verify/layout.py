"""How passages and claims are laid out for the verifier's network, in training and in use.

One row holds one or several passages and their claims one after another. Each passage is read by itself and from
position 0, so what was read of it serves beside any other. A claim sees the passages and itself, never another claim,
and its positions go on from the longest passage's end: so each claim is judged as if it stood alone, at the cost of its
own tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BEFORE = "Passage: "
BETWEEN = "\nClaim: "
AFTER = "\nSupported:"
CLAIM = 96  # tokens of a claim that are read
PADDING = 1_000_000  # the segment of what fills a row up: nobody's
JOIN = "\n"  # between passages that are held against a claim together
HEADING = re.compile(r"\[[^\]\n]+\] ")  # name and kind of the work that a passage is from, see Corpus.evidence
_BORDER = re.compile(rf"{JOIN}(?={HEADING.pattern})")


def without_heading(passage: str) -> str:
    """The passage's own words."""
    heading = HEADING.match(passage)
    return passage[heading.end() :] if heading else passage


def passages_of(joined: str) -> list[str]:
    """The passages of a text that holds several, each under its heading in brackets; else the text."""
    return _BORDER.split(joined)


@dataclass(frozen=True, slots=True)
class Row:
    """Passages with their claims as token ids.

    `segments`: 0, -1, -2 … for the passages, k for the k-th claim. `ends`: where each claim's last token is.
    """

    ids: list[int]
    positions: list[int]
    segments: list[int]
    ends: list[int]


def lay_out(passages: Sequence[Sequence[int]], claims: Sequence[Sequence[int]]) -> Row:
    """A row from the token ids of passages and of claims."""
    ids: list[int] = []
    positions: list[int] = []
    segments: list[int] = []
    for number, passage in enumerate(passages):
        ids += passage
        positions += range(len(passage))
        segments += [-number] * len(passage)
    size = len(ids)
    tails = after([len(passage) for passage in passages], claims)
    ends = [size + end for end in tails.ends]
    return Row(ids + tails.ids, positions + tails.positions, segments + tails.segments, ends)


def after(sizes: Sequence[int], claims: Sequence[Sequence[int]]) -> Row:
    """The claims alone, as they follow passages of these sizes that were read before."""
    start = max(sizes, default=0)
    ids: list[int] = []
    positions: list[int] = []
    segments: list[int] = []
    ends = []
    for number, claim in enumerate(claims, 1):
        ids += claim
        positions += range(start, start + len(claim))
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
    """(ids, positions, segments), each of shape (rows, tokens); padding has segment PADDING."""
    shape = (len(some), max(len(row.ids) for row in some))
    ids, positions, segments = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, PADDING, np.int64)
    for place, row in enumerate(some):
        size = len(row.ids)
        ids[place, :size], positions[place, :size], segments[place, :size] = row.ids, row.positions, row.segments
    return ids, positions, segments


def ends_of(some: Sequence[Row]) -> tuple[list[int], list[int]]:
    """(which row, which token) each claim ends at, over all of the rows' claims."""
    return [place for place, row in enumerate(some) for _ in row.ends], [end for row in some for end in row.ends]
