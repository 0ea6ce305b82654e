"""One reply held against its case: what can be told without a judge. Nothing here looks at meanings."""

import re
from typing import Any

from evals.cases import Case
from evals.questions import patterns
from evals.readability import grades
from evals.score import score, sources_held
from evals.systems.reply import Reply
from server.corpus import Corpus
from server.reading_level import split_sentences, words
from server.turn import ANSWERED, SAFETY, UNCITED_ROLES, Role, Turn
from server.verify.figures import unsupported
from server.wording import Wording

MAX_LEAD = 25
MAX_SENTENCE = 20
LONGEST = 28
MAX_WORDS = 150
_ANSWERED = frozenset(outcome.value for outcome in ANSWERED)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|been|being|be)\s+(?:\w+ly\s+)?\w+(?:ed|en)\b", re.IGNORECASE)


def figures_lacking(reply: Reply, corpus: Corpus) -> int:
    """Figures in sentences that none of their passages hold."""
    return sum(
        len(unsupported(said.text, [corpus.passages[p].text for p in said.evidence if p in corpus.passages]))
        for said in reply.said
    )


def lengths(text: str) -> dict[str, Any]:
    """Words in all and in each sentence; passives are found by a rule of thumb (a form of "be" and a participle)."""
    sentences = split_sentences(text)
    counts = [len(words(sentence)) for sentence in sentences]
    return {
        "words": sum(counts),
        "sentences": len(counts),
        "sentences_over_20": sum(count > MAX_SENTENCE for count in counts),
        "longest_sentence": max(counts, default=0),
        "passives": sum(bool(_PASSIVE.search(sentence)) for sentence in sentences),
    }


def reply_score(case: Case, reply: Reply, corpus: Corpus) -> dict[str, Any]:
    """The same for every system. `right_abstention` is None where the case is answered by some outcome."""
    cited = frozenset(corpus.passages[p].source for said in reply.said for p in said.cited if p in corpus.passages)
    accepted = {outcome.value for outcome in case.accepted}
    should_answer = bool(accepted & _ANSWERED)
    should_abstain = not accepted <= _ANSWERED
    names = (*corpus.topic.drug_names, *corpus.topic.study_names)
    return {
        "category": case.category,
        "answerable": case.answerable,
        "traits": list(case.traits),
        "answered": not reply.abstained,
        "over_refused": reply.abstained if should_answer and not should_abstain else None,
        "right_abstention": reply.abstained if should_abstain and not should_answer else None,
        "sources": sources_held(case, cited),
        "say": [bool(p.search(reply.text)) for p in patterns(case.must_say)],
        "not_say": [not p.search(reply.text) for p in patterns(case.must_not_say)],
        "not_judged": case.not_judged,
        "said": len(reply.said),
        "uncited": sum(not said.cited for said in reply.said),
        "figures_lacking": figures_lacking(reply, corpus),
        "ms": round(reply.ms, 2),
        **lengths(reply.text),
        **grades(reply.text, names),
    }


def shape(turn: Turn) -> dict[str, bool] | None:
    """The shape of an answer (R20); None for any other ending."""
    if turn.outcome not in ANSWERED:
        return None
    roles = [sentence.role for sentence in turn.sentences]
    first = split_sentences(turn.sentences[0].text)[0] if turn.sentences else ""
    order = [Role.PREMISE, Role.LEAD, Role.POINT, Role.UNKNOWN, Role.FIXED, Role.NEXT_STEP]
    places = [order.index(role) for role in roles]
    return {
        "lead_first": bool(roles) and roles[0] in {Role.LEAD, Role.PREMISE},
        "lead_within_25_words": len(words(first)) <= MAX_LEAD,
        "has_points": Role.POINT in roles,
        "says_what_is_unknown": Role.UNKNOWN in roles,
        "has_next_step": Role.NEXT_STEP in roles,
        "in_order": places == sorted(places),
        "within_150_words": sum(len(words(s.text)) for s in turn.sentences) <= MAX_WORDS,
    }


def turn_score(case: Case, turn: Turn, corpus: Corpus, wording: Wording) -> dict[str, Any]:
    """What only the production path has: its outcome, labels, wording and shape."""
    row = score(case, turn, corpus, wording)
    cited = [s for s in turn.sentences if s.role not in UNCITED_ROLES]
    return {
        "expected": row.expected,
        "outcome": row.outcome,
        "reason": row.reason,
        "read_as": row.read_as,
        "right": row.right,
        "safety_missed": case.accepted <= SAFETY and not row.right,
        "sources": row.sources,
        "say": [found.held for found in row.found if found.must == "say"],
        "not_say": [found.held for found in row.found if found.must == "not_say"],
        "uncited": row.uncited,
        "figures_lacking": row.figures,
        "label_faults": row.labels,
        "wording_faults": sum(s.verdict is None or not s.verdict.wording for s in cited),
        "dropped": row.dropped,
        "shape": shape(turn),
    }
