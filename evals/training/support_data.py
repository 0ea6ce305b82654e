"""Pairs of a passage and a claim: read, held apart from the test files, shared out among gate, judge and validation.

Public rows come from a folder of JSON lines that is not part of the project (`train/*.jsonl`, `test/*.jsonl`, rows with
`source, premise, claim, label`). Our own are in `evals/training/support/{train,test}`: one passage to a line, with its
claims, each with a kind.
"""

import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from evals.jsonl import read_lines
from evals.training.support_made import made
from server.reading_level import split_sentences
from server.verify.layout import JOIN, passages_of, without_heading

OWN = Path(__file__).parent / "support"
SUPPORTED = "supported"
SHARES = 20
VALIDATION = frozenset({0})
JUDGE = frozenset({1, 2, 3})
# Sources whose rows are short, made by template or easy by the way that they were made: a part of them is enough.
CAPS = {"hans_regen": 400, "kqa_pairs": 1000, "pubmedqa_pairs": 500, "wikinli_nyu": 9000}
MOST_JOINED = 0.15
LAST = 22  # our files of this number and on are kept for the last two phases
MADE = "invented study"
DRAFT = "draft"
MIN_WORDS, MAX_WORDS = 6, 40  # of a sentence that can stand alone
_LEANS = re.compile(r"(?:it|they|this|these|those|that|he|she|both|such|there|all|none|most)\b", re.IGNORECASE)
_FIGURE = re.compile(r"\d+(?:\.\d+)?")

Part = Literal["gate", "judge", "validation"]


class PairsError(Exception):
    """A file of pairs is missing or does not follow its form; the message says which line and why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One claim to be held against one passage. `kind`: how the claim was made, or the data set's finer label."""

    source: str
    passage: str
    claim: str
    supported: bool
    kind: str
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Claims that share a source and a passage: the unit that is read at one go."""

    source: str
    passage: str
    claims: tuple[str, ...]
    supported: tuple[bool, ...]


def normalised(text: str) -> str:
    """Lower case letters and digits with single spaces: two texts that differ only in dress are the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def part_of(pair: Pair) -> Part:
    """Which part a pair belongs to, by its passage alone, so that no passage is in two parts."""
    digest = hashlib.sha256(normalised(pair.passage).encode()).digest()
    share = int.from_bytes(digest[:4], "big") % SHARES
    return "validation" if share in VALIDATION else "judge" if share in JUDGE else "gate"


class PublicRow(BaseModel):
    """A row of a public file; fields that no training reads are let through."""

    source: str
    premise: str
    claim: str
    label: Literal["supported", "not_supported"]
    fine: str | None = None


class OwnClaim(BaseModel):
    """A claim of our own; `kind` is one of those in `evals/training/support/README.md`."""

    text: str
    label: Literal["s", "n"]
    kind: str


class DraftRow(BaseModel):
    """A sentence that a small chat model wrote over some of the passages, and what a reader called it."""

    passages: list[str]
    sentence: str
    label: Literal["s", "n"]


class OwnRow(BaseModel):
    """A passage of our own with its claims."""

    id: str
    topic: str
    heading: str
    passage: str
    claims: list[OwnClaim]


def public(path: Path) -> list[Pair]:
    """Rows of one public file. Raises PairsError, one line, where a row does not follow the form."""
    rows = (row for _, row in read_lines(path, PublicRow, PairsError))
    return [Pair(r.source, r.premise, r.claim, r.label == SUPPORTED, r.fine or r.label) for r in rows]


def evidence(heading: str, passage: str) -> str:
    """A passage under the name and kind of its work, as every part of PlainCite shows it."""
    return f"[{heading}] {passage}" if heading else passage


def own(path: Path) -> list[Pair]:
    """Pairs of one of our own files. Raises PairsError, one line, where a line does not follow the form."""
    return [
        Pair("own", evidence(row.heading, row.passage), claim.text, claim.label == "s", claim.kind, row.topic)
        for _, row in read_lines(path, OwnRow, PairsError)
        for claim in row.claims
    ]


def drafts(folder: Path = OWN) -> dict[Part, list[Pair]]:
    """Pairs of `drafts.jsonl`, by the part that the first of their passages belongs to. Raises PairsError.

    Their passages are read together, as an answer that cites several has them.
    """
    rows = (
        row for path in sorted((folder / "train").glob("*.jsonl")) for _, row in read_lines(path, OwnRow, PairsError)
    )
    texts = {row.id: evidence(row.heading, row.passage) for row in rows}
    found: dict[Part, list[Pair]] = {"gate": [], "judge": [], "validation": []}
    file = folder / "drafts.jsonl"
    for number, row in read_lines(file, DraftRow, PairsError) if file.exists() else ():
        if not row.passages or not set(row.passages) <= set(texts):
            raise PairsError(f"{file}: line {number}: passages that train/ does not hold")
        part = part_of(Pair("own", texts[row.passages[0]], "", True, ""))
        whole = JOIN.join(texts[one] for one in row.passages)
        found[part].append(Pair("own", whole, row.sentence, row.label == "s", DRAFT))
    return found


def kept_for_last(folder: Path = OWN) -> frozenset[str]:
    """The passages of our files from number LAST on, as they are read. Raises PairsError."""
    files = [path for path in sorted((folder / "train").glob("*.jsonl")) if path.stem.isdigit()]
    return frozenset(
        part
        for path in files
        if int(path.stem) >= LAST
        for _, row in read_lines(path, OwnRow, PairsError)
        for part in passages_of(evidence(row.heading, row.passage))
    )


def holds(pair: Pair, passages: frozenset[str]) -> bool:
    """Whether the pair's evidence is one of these passages, or has one of them joined to another."""
    text = pair.passage
    borders = [place for place, sign in enumerate(text) if sign == JOIN]
    parts = [text, *passages_of(text), *(text[:at] for at in borders), *(text[at + 1 :] for at in borders)]
    return not passages.isdisjoint(parts)


def invented(part: Literal["train", "test"]) -> list[Pair]:
    """Pairs of the invented studies of `support_made`."""
    return [Pair("own", one.passage, one.claim, one.supported, one.kind, MADE) for one in made(part)]


def likeness(texts: Sequence[str]) -> NDArray[np.float64]:
    """Jaccard index of the words of every two texts, shape (texts, texts); two without any word are not alike."""
    words = [set(normalised(text).split()) for text in texts]
    places = {word: place for place, word in enumerate(sorted(set().union(*words)))}
    holds_word = np.zeros((len(words), len(places)), np.float32)
    for row, some in zip(holds_word, words, strict=True):
        row[[places[word] for word in some]] = 1
    both = (holds_word @ holds_word.T).astype(np.float64)
    sizes = np.array([len(some) for some in words])
    return np.asarray(both / np.maximum(1, sizes[:, None] + sizes[None, :] - both), np.float64)


def other_studies(pairs: Sequence[Pair], each: int, seed: int) -> list[Pair]:
    """Supported claims of the passages that are nearest in words, held against the wrong passage: not supported.

    Only claims with a figure are taken: a claim without one could be true of both.
    """
    shuffle = random.Random(seed)
    claims: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        if pair.supported and re.search(r"\d", pair.claim):
            claims[pair.passage].append(pair.claim)
    passages = list(claims)
    found = []
    for passage, row in zip(passages, likeness(passages), strict=True):
        near = [passages[place] for place in np.argsort(-row, kind="stable")[1:6]]
        for other in shuffle.sample(near, min(each, len(near))):
            claim = shuffle.choice(claims[other])
            figures = set(re.findall(r"\d+(?:\.\d+)?", claim))
            if not figures <= set(re.findall(r"\d+(?:\.\d+)?", passage)):
                found.append(Pair("own", passage, claim, False, "other_study"))
    return found


def _tellable(passage: str) -> list[str]:
    """Sentences of a passage that can stand alone: of middling length, and not about something said before."""
    told = split_sentences(without_heading(passage))
    return [one for one in told if MIN_WORDS <= len(one.split()) <= MAX_WORDS and not _LEANS.match(one)]


def verbatim(pairs: Sequence[Pair], each: int, seed: int) -> list[Pair]:
    """Sentences of each passage as claims that it supports, and one of the passage nearest in words, which it does not.

    Only a foreign sentence with a figure that is not in the passage is taken.
    """
    shuffle = random.Random(seed)
    told = {passage: _tellable(passage) for passage in dict.fromkeys(pair.passage for pair in pairs)}
    passages = list(told)
    found = []
    for place, (row, sentences) in enumerate(zip(likeness(passages), told.values(), strict=True)):
        passage = passages[place]
        mine = shuffle.sample(sentences, min(each, len(sentences)))
        found += [Pair("own", passage, one, True, "verbatim") for one in mine]
        row[place] = -1.0  # not itself
        near = passages[int(row.argmax())]
        figures = set(_FIGURE.findall(passage))
        foreign = [one for one in told[near] if set(_FIGURE.findall(one)) - figures]
        found += [Pair("own", passage, one, False, "verbatim") for one in shuffle.sample(foreign, min(1, len(foreign)))]
    return found


def joined(pairs: Sequence[Pair], share: float, seed: int) -> list[Pair]:
    """Some of the passages again with another one before or after them, as an answer that cites two passages has."""
    shuffle = random.Random(seed)
    passages = sorted({pair.passage for pair in pairs})
    partner = {p: shuffle.choice(passages) for p in passages if shuffle.random() < share}
    found = []
    for pair in pairs:
        other = partner.get(pair.passage)
        if other and other != pair.passage and shuffle.random() < 0.6:
            first = int(hashlib.sha256(pair.passage.encode()).hexdigest(), 16) % 2
            whole = JOIN.join((other, pair.passage) if first else (pair.passage, other))
            found.append(Pair("own", whole, pair.claim, pair.supported, pair.kind, pair.topic))
    return found


def shared_with(tests: Iterable[Pair], pairs: Iterable[Pair]) -> tuple[list[Pair], Counter[str]]:
    """(pairs that share no normalised claim and no normalised passage with a test file, dropped ones by source)."""
    seen: set[str] = set()
    for test in tests:
        seen.update((normalised(test.claim), normalised(test.passage)))
    kept, dropped = [], Counter[str]()
    for pair in pairs:
        if normalised(pair.claim) in seen or normalised(pair.passage) in seen:
            dropped[pair.source] += 1
        else:
            kept.append(pair)
    return kept, dropped


def held_apart(data: Path) -> list[Path]:
    """The public test files that hold pairs; `ragtruth_examples.jsonl` holds whole responses."""
    return [path for path in sorted((data / "test").glob("*.jsonl")) if not path.name.endswith("_examples.jsonl")]


def capped(pairs: Iterable[Pair], seed: int) -> list[Pair]:
    """At most CAPS rows of a capped source, drawn by chance."""
    by: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by[pair.source].append(pair)
    shuffle = random.Random(seed)
    found = []
    for source, rows in sorted(by.items()):
        most = CAPS.get(source, len(rows))
        found += rows if len(rows) <= most else shuffle.sample(rows, most)
    return found


def training_pairs(data: Path, seed: int = 7, folder: Path = OWN) -> tuple[dict[Part, list[Pair]], Counter[str]]:
    """(pairs for gate, judge and validation, how many were dropped by source because a test file holds them)."""
    files = sorted((data / "train").glob("*.jsonl"))
    if not files:
        raise PairsError(f"{data}: holds no train/*.jsonl")
    mine = [pair for path in sorted((folder / "train").glob("*.jsonl")) for pair in own(path)]
    mine += invented("train")
    tests = [pair for path in held_apart(data) for pair in public(path)]
    tests += [pair for path in sorted((folder / "test").glob("*.jsonl")) for pair in own(path)] + invented("test")
    kept, dropped = shared_with(tests, [pair for path in files for pair in public(path)] + mine)
    parts: dict[Part, list[Pair]] = {"gate": [], "judge": [], "validation": []}
    for pair in capped(kept, seed):
        parts[part_of(pair)].append(pair)
    written_over = drafts(folder)
    for part, rows in parts.items():
        rows_of_own = [pair for pair in rows if pair.source == "own"]
        written = [pair for pair in rows_of_own if pair.topic != MADE]
        rows += other_studies(written, 3, seed) + verbatim(written, 3, seed) + joined(rows_of_own, MOST_JOINED, seed)
        rows += written_over[part]
    return parts, dropped


def groups(pairs: Iterable[Pair], most: int = 24) -> list[Group]:
    """Pairs by source and passage, at most `most` claims to a group."""
    by: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        by[pair.source, pair.passage].append(pair)
    found = []
    for (source, passage), rows in by.items():
        for start in range(0, len(rows), most):
            some = rows[start : start + most]
            found.append(Group(source, passage, tuple(p.claim for p in some), tuple(p.supported for p in some)))
    return found
