"""The test sets: public files from a folder outside the project, and our own unseen passages with planted errors."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from evals.jsonl import read_lines
from evals.support.measures import Floats
from evals.training.support_data import OWN, Pair, PairsError, held_apart, invented, own, public

OURS = "own unseen passages"
CORPUS = "corpus passages held out"
INVENTED = "invented studies, other sentences"


@dataclass(frozen=True, slots=True)
class PairSet:
    """A named list of pairs; `planted` where its kinds say how each claim was made."""

    name: str
    pairs: tuple[Pair, ...]
    planted: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A set with one scorer's scores, in the order of its pairs."""

    set: PairSet
    scorer: str
    limit: float | None
    scores: Floats
    seconds: float


class Response(BaseModel):
    """RAGTruth's response level: whether a whole response holds a hallucination."""

    response_id: str
    label: str


class Sentence(BaseModel):
    """Which response a row of RAGTruth's sentences is of."""

    response_id: str


def sets_to_test(data: Path | None, folder: Path = OWN) -> list[PairSet]:
    """Our own sets, then the public ones by name where a folder is given. Raises PairsError."""
    mine = [pair for path in sorted((folder / "test").glob("*.jsonl")) for pair in own(path)]
    about = {pair.passage for pair in mine if pair.topic == "corpus"}
    found = [
        PairSet(INVENTED, tuple(invented("test")), True),
        PairSet(OURS, tuple(pair for pair in mine if pair.passage not in about), True),
        PairSet(CORPUS, tuple(pair for pair in mine if pair.passage in about), True),
    ]
    if data is not None:
        files = held_apart(data)
        if not files:
            raise PairsError(f"{data}: holds no test/*.jsonl")
        found += [PairSet(path.name.split(".")[0], tuple(public(path))) for path in files]
    return found


def responses(data: Path) -> tuple[list[str], dict[str, bool]]:
    """(the response of each RAGTruth sentence in the file's order, whether each response is hallucinated)."""
    of = [row.response_id for _, row in read_lines(data / "test" / "ragtruth.test.jsonl", Sentence, PairsError)]
    whole = read_lines(data / "test" / "ragtruth_examples.jsonl", Response, PairsError)
    return of, {row.response_id: row.label != "supported" for _, row in whole}


def by_passage(pairs: Iterable[Pair]) -> dict[str, list[int]]:
    """Places of the pairs by passage."""
    found: dict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        found[pair.passage].append(place)
    return found
