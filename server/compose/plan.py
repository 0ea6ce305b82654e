"""From a brief to ordered claims: lead, points, what is not known (R20), both sides (R4), labels (R5 to R8)."""

from collections.abc import Iterable
from dataclasses import replace

from server.corpus import Brief, Corpus
from server.corpus.labels import ONCE_PER_ANSWER, missing
from server.reading_level import words
from server.turn import Claim, Role, Sentence

MAX_WORDS = 150
_SAYS_WHAT_IT_IS = frozenset({"people", "limits", "peer_review"})
_KEPT = frozenset({Role.LEAD, Role.PREMISE, Role.NEXT_STEP})


def sentence(claim: Claim, role: Role) -> Sentence:
    """A claim as a sentence of an answer."""
    return Sentence(claim.text, role, claim.passages, claim=claim.id, certainty=claim.certainty, why=claim.why)


def from_brief(brief: Brief, corpus: Corpus) -> list[Sentence]:
    """The brief's claims with their parts, in reading order."""
    parts = [(brief.premise, Role.PREMISE), (brief.lead, Role.LEAD)]
    parts += [(claim, Role.POINT) for claim in brief.points] + [(claim, Role.UNKNOWN) for claim in brief.unknown]
    return [sentence(corpus.claims[claim], role) for claim, role in parts if claim is not None]


def from_study(brief: Brief, studies: Iterable[str], corpus: Corpus) -> list[Sentence]:
    """Claims of the named studies about the aspects asked for, the first as lead; empty where there are none."""
    found: list[Claim] = []
    for number, aspect in enumerate(brief.aspect):
        for study in studies:
            own = [c for c in corpus.claims.values() if c.sources == (study,) and aspect in c.topics and c not in found]
            found += own[: 2 if number == 0 else 1]
        if number == 0 and not found:
            found += [c for c in corpus.claims.values() if aspect in c.topics and set(c.sources) & set(studies)][:2]
            if not found:
                return []
    return [sentence(claim, Role.POINT if i else Role.LEAD) for i, claim in enumerate(found)]


def with_labels(draft: list[Sentence], corpus: Corpus) -> list[Sentence]:
    """The draft, with a claim added for each label whose words no sentence that cites its source carries."""
    added: list[Sentence] = []
    sources = dict.fromkeys(s for item in draft if item.claim for s in corpus.claims[item.claim].sources)
    for key in sources:
        source = corpus.sources[key]
        said = " ".join(item.text for item in draft if item.claim and key in corpus.claims[item.claim].sources)
        for label in missing(said, source, ONCE_PER_ANSWER):
            carriers = [
                c for c in corpus.claims.values() if c.sources == (key,) and not missing(c.text, source, {label})
            ]
            carriers.sort(key=_distraction)
            held = {item.claim for item in (*draft, *added)}
            added += [sentence(claim, Role.POINT) for claim in carriers[:1] if claim.id not in held]
    last_point = max((i for i, item in enumerate(draft) if item.role is not Role.UNKNOWN), default=-1) + 1
    return draft[:last_point] + added + draft[last_point:]


def _distraction(claim: Claim) -> tuple[bool, bool, int]:
    """How far a claim leads away when it is added for its label's words only."""
    return not claim.topics & _SAYS_WHAT_IT_IS, claim.direction not in {"none", "unknown"}, len(claim.text)


def with_both_sides(draft: list[Sentence], corpus: Corpus) -> list[Sentence]:
    """The draft, with the other side added where it tells only of benefit (R4)."""
    directions = {corpus.claims[item.claim].direction for item in draft if item.claim}
    works = any("works" in corpus.claims[item.claim].topics for item in draft if item.claim)
    if not works or "benefit" not in directions or directions & {"no_difference", "harm", "mixed"}:
        return draft
    held = {item.claim for item in draft}
    other = [
        corpus.claims[c] for c in corpus.topic.both_sides if c not in held and corpus.claims[c].direction != "benefit"
    ]
    return draft + [sentence(claim, Role.POINT) for claim in other[:1]]


def shortened(draft: list[Sentence], needed: frozenset[str]) -> list[Sentence]:
    """At most 150 words: plain points go first, from the end; lead, correction and `needed` claims stay."""
    kept = list(draft)
    for role in (Role.POINT, Role.UNKNOWN, Role.FIXED):
        for item in reversed([s for s in kept if s.role is role]):
            if sum(len(words(s.text)) for s in kept) <= MAX_WORDS:
                return kept
            if item.claim not in needed and item.role not in _KEPT:
                kept.remove(item)
    return kept


def as_role(item: Sentence, role: Role) -> Sentence:
    """The sentence in another part."""
    return replace(item, role=role)
