"""The unit of a hallucination rate: a distinct pair of a sentence and the passages that it is held against."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from evals.systems.reply import Said
from server.corpus import Corpus


def pair_key(sentence: str, texts: Iterable[str]) -> str:
    """16 hex digits over the sentence and its passages' texts in any order: new words on either side, a new pair."""
    whole = "\n".join([sentence, *sorted(texts)])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Pair:
    """One distinct pair: `cluster` is the source of its first passage, `shown` how often replies showed it."""

    key: str
    sentence: str
    passages: tuple[str, ...]
    texts: tuple[str, ...]
    cluster: str
    shown: int = 1


def pair(said: Said, corpus: Corpus, shown: int = 1) -> Pair:
    """The pair of a sentence; passages that the corpus does not hold are left out."""
    held = tuple(p for p in said.evidence if p in corpus.passages)
    texts = tuple(corpus.evidence(p) for p in held)
    cluster = corpus.passages[held[0]].source if held else "none"
    return Pair(pair_key(said.text, texts), said.text, held, texts, cluster, shown)


def distinct(said: Iterable[Said], corpus: Corpus) -> dict[str, Pair]:
    """Pairs by key, each with how often it was shown, in order of first appearance."""
    found: dict[str, Pair] = {}
    for one in said:
        new = pair(one, corpus)
        old = found.get(new.key)
        found[new.key] = new if old is None else pair(one, corpus, old.shown + 1)
    return found


def reviewed_pairs(corpus: Corpus) -> dict[str, Pair]:
    """The finite list of what the reviewed composer can say with a citation: every claim with its passages."""
    said = [Said(claim.text, claim.passages, claim.passages) for claim in corpus.claims.values()]
    return {key: replace(one, shown=0) for key, one in distinct(said, corpus).items()}
