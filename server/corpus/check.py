"""What `plaincite corpus check` refuses, one clear line a defect."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from server.corpus.labels import DEMANDS, missing
from server.corpus.load import Corpus, CorpusError, load_corpora
from server.reading_level import grade, split_sentences, words
from server.turn import Claim
from server.verify.figures import unsupported
from server.verify.model import load
from server.verify.support import DOUBT, LEEWAY, Asked, Supports
from server.verify.wording import problems
from server.wording import load_wording

MAX_WORDS = 28
MAX_GRADE = 10.0
MAX_AGE_DAYS = 100
_PASSAGE_ID = re.compile(r"[a-z0-9_]+\.[a-z_]+\.\d+")
# Labels that a claim of one source need not repeat: they are asked of the answer as a whole.
_NOT_PER_CLAIM = frozenset({"later_version"})


@cache
def _supports() -> Supports:
    return Supports(load())


def _asked(claim: Claim, corpus: Corpus) -> Asked:
    return claim.text, tuple(corpus.evidence(p) for p in claim.passages)


def _doubts(claim: Claim, corpus: Corpus) -> Iterator[str]:
    """Whether its passages bear a claim out: one that is doubted is mended, or its record says why it stands."""
    supports = _supports()
    score = supports.verdicts([_asked(claim, corpus)])[0].score
    if score < DOUBT and not claim.doubt:
        found = f"({score:.2f}, {DOUBT:.2f} is enough)"
        yield f"its passages hardly bear it out {found}: mend it, or say in `doubt` why it stands"
    if score >= DOUBT + LEEWAY and claim.doubt:
        yield "has a `doubt`, but its passages bear it out by now"


def check_claim(claim: Claim, corpus: Corpus) -> Iterator[str]:
    """Defects of one claim."""
    passages = [corpus.passages[p].text for p in claim.passages]
    if not passages:
        yield "cites no passage"
    for figure in unsupported(claim.text, passages):
        yield f"the figure {figure.value} ({figure.unit or 'no unit'}) stands in none of its passages"
    demanded = set(DEMANDS) - _NOT_PER_CLAIM if len(claim.sources) == 1 else {"animal"}
    for source in claim.sources:
        for label in missing(claim.text, corpus.sources[source], demanded):
            yield f"lacks the words that the label {label!r} of {source} demands"
    for sentence in split_sentences(claim.text):
        if len(words(sentence)) > MAX_WORDS:
            yield f"a sentence of {len(words(sentence))} words (at most {MAX_WORDS})"
        level = grade(sentence, (*corpus.topic.drug_names, *corpus.topic.study_names), min_words=1)
        if level is not None and level > MAX_GRADE:
            yield f"a sentence of grade {level:.1f} (at most {MAX_GRADE:.0f}): {sentence}"
    if passages:
        yield from _doubts(claim, corpus)
    yield from problems(claim.text, claim.certainty)
    for topic in claim.topics - set(corpus.topic.topics):
        yield f"unknown topic {topic!r}"


def _check_sources(corpus: Corpus) -> Iterator[str]:
    for source in corpus.sources.values():
        if not any(source.key in claim.sources for claim in corpus.claims.values()):
            yield f"{source.key}: no claim cites it"
        for passage in source.passages:
            if not _PASSAGE_ID.fullmatch(passage.id) or not passage.id.startswith(source.key + "."):
                yield f"{passage.id}: not of the form {source.key}.<section>.<number>"
            if passage.words == "review" and passage.text not in corpus.review:
                yield f"{passage.id}: not word for word in review.md"
        for point in source.study:
            if point.passage is not None and point.passage not in corpus.passages:
                yield f"{source.key}: study card cites unknown passage {point.passage!r}"
    if "review" in corpus.sources and corpus.sources["review"].labels:
        yield "review: the review itself carries no label"


def _check_briefs(corpus: Corpus, fixed: set[str], steps: set[str], cards: set[str]) -> Iterator[str]:
    for brief in corpus.briefs.values():
        named = [brief.lead, brief.premise, *brief.points, *brief.unknown]
        yield from (f"{brief.id}: unknown claim {c!r}" for c in named if c and c not in corpus.claims)
        yield from (f"{brief.id}: unknown subject {s!r}" for s in brief.coverage if s not in corpus.subjects)
        yield from (f"{brief.id}: unknown fixed sentence {f!r}" for f in brief.fixed if f not in fixed)
        if brief.next_step and brief.next_step not in steps:
            yield f"{brief.id}: unknown next step {brief.next_step!r}"
        if brief.card and brief.card not in cards:
            yield f"{brief.id}: unknown card {brief.card!r}"
        if brief.conflict and brief.conflict not in corpus.conflicts:
            yield f"{brief.id}: unknown conflict {brief.conflict!r}"
        if not corpus.examples.get(brief.id) and not brief.marked:
            yield f"{brief.id}: no example question"
    yield from (f"{b}: examples of an unknown kind of question" for b in corpus.examples if b not in corpus.briefs)


def _check_coverage(corpus: Corpus) -> Iterator[str]:
    """A silence that a passage contradicts: the subject's words stand in a passage of a source said to be silent."""
    for subject in corpus.subjects.values():
        yield from (f"coverage {subject.id}: unknown source {s!r}" for s in subject.sources if s not in corpus.sources)
        if not subject.aliases:
            continue
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, subject.aliases)) + r")\b", re.IGNORECASE)
        for passage in corpus.passages.values():
            if (
                passage.section in {"methods", "references", "funding"}
                or subject.sources.get(passage.source) == "reported"
            ):
                continue
            if passage.words == "our_summary" and pattern.search(passage.text):
                yield f"coverage {subject.id}: {passage.id} speaks of it, but {passage.source} is not 'reported'"


def _check_audit(corpus: Corpus) -> Iterator[str]:
    for item in corpus.audit.audit:
        for passage in (item.review_passage, *item.passages):
            if passage is not None and passage not in corpus.passages:
                yield f"audit {item.id}: unknown passage {passage!r}"
    for conflict in corpus.conflicts.values():
        for side in conflict.sides:
            if side.passage not in corpus.passages:
                yield f"conflict {conflict.id}: unknown passage {side.passage!r}"


def check_corpus(corpus: Corpus) -> list[str]:
    """Every defect of one topic that could be loaded."""
    wording = load_wording()
    replies: Any = wording.replies
    _supports().verdicts([_asked(claim, corpus) for claim in corpus.claims.values()])  # in one go, and kept
    found = [f"{claim.id}: {defect}" for claim in corpus.claims.values() for defect in check_claim(claim, corpus)]
    found += _check_sources(corpus)
    fixed = set(replies["fixed"]) | set(corpus.topic.fixed)
    found += _check_briefs(corpus, fixed, set(replies["next_steps"]), set(corpus.context) | set(wording.cards))
    found += _check_coverage(corpus)
    found += _check_audit(corpus)
    return found


def check_folder(root: Path) -> list[str]:
    """Every defect under corpus/; a file that cannot be read is a defect, not a crash."""
    try:
        corpora = load_corpora(root)
    except CorpusError as error:
        return str(error).splitlines()
    return [line for corpus in corpora.values() for line in check_corpus(corpus)]


def unverified_numbers(today: date) -> list[str]:
    """Help lines that nobody has checked live, or not in the last 100 days (R49): shown, and told to clinicians."""
    found = []
    for code, country in load_wording().countries.items():
        for line in country["lines"]:
            checked = line["verified_on"]
            if checked is None:
                found.append(f"{code} {line['name']}: never checked live")
            elif (today - date.fromisoformat(str(checked))).days > MAX_AGE_DAYS:
                found.append(f"{code} {line['name']}: last checked {checked}")
    return found
