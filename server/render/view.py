"""One view of a finished turn, for page, JSON and text alike."""

import secrets
from dataclasses import dataclass
from itertools import count, zip_longest
from typing import Any

from server import __version__
from server.corpus import Corpus
from server.prompting import prompts_hash
from server.render.cards import card_view
from server.render.sources import citation_view, source_view
from server.turn import ANSWERED, Outcome, Role, Sentence, Turn
from server.wording import Wording

View = dict[str, Any]
_HEADED = frozenset({Role.PREMISE, Role.POINT, Role.UNKNOWN, Role.NEXT_STEP})


@dataclass(frozen=True)
class _Numbers:
    """The number of each source in this reply, in order of first citation."""

    by_source: dict[str, int]

    @classmethod
    def of(cls, passages: list[str], corpus: Corpus) -> "_Numbers":
        keys = dict.fromkeys(corpus.passages[p].source for p in passages)
        return cls({key: n for n, key in enumerate(keys, start=1)})


def new_id() -> str:
    """A random id for a turn; it says nothing about who asked."""
    return "t_" + secrets.token_hex(8)


def _conflict(turn: Turn, corpus: Corpus) -> View | None:
    if turn.conflict is None:
        return None
    conflict = corpus.conflicts[turn.conflict]
    sides = [side.model_dump() | {"name": corpus.sources[side.source].name} for side in conflict.sides]
    return {"why_they_may_differ": conflict.why_they_may_differ, "sides": sides}


def _sentence(item: Sentence, numbers: _Numbers, ids: Any, corpus: Corpus, wording: Wording) -> View:
    verdict = item.verdict
    certainty = wording.replies["certainty"].get(item.certainty or "none") if item.claim else None
    return {
        "text": item.text,
        "role": item.role.value,
        "composer": item.composer,
        "certainty": None if item.certainty == "none" else certainty,
        "why": item.why,
        "claim": item.claim,
        "doubt": corpus.claims[item.claim].doubt if item.claim and item.claim in corpus.claims else None,
        "checks": {
            "support": verdict.support if verdict else None,
            "figures": bool(verdict and verdict.figures),
            "labels": bool(verdict and verdict.labels),
            "wording": bool(verdict and verdict.wording),
        },
        "citations": [
            citation_view(
                corpus.passages[p], item.text, numbers.by_source[corpus.passages[p].source], next(ids), corpus, best
            )
            for p, best in zip_longest(item.citations, verdict.best if verdict else ())
        ],
    }


def _groups(sentences: list[View], wording: Wording) -> list[View]:
    """Sentences of one role that stand together, with the role's heading where it has one."""
    groups: list[View] = []
    for item in sentences:
        if not groups or groups[-1]["role"] != item["role"]:
            heading = wording.page["roles"][item["role"]] if Role(item["role"]) in _HEADED else None
            groups.append({"role": item["role"], "heading": heading, "sentences": []})
        groups[-1]["sentences"].append(item)
    return groups


def _language(turn: Turn, wording: Wording) -> View | None:
    entry = wording.languages.get(turn.language or "")
    if entry is None:
        return None
    country = turn.question.country
    general = wording.country(country) == "ZZ"
    emergency = entry["local_emergency"] if general else wording.emergency(country)
    texts = [*entry["text"], entry["line"]]
    filled = [t.replace("{emergency}", emergency).replace("{number}", wording.number(country)) for t in texts]
    return {"code": turn.language, "name": entry["name"], "dir": entry["dir"], "text": filled}


def to_view(turn: Turn, corpus: Corpus, wording: Wording, identifier: str | None = None) -> View:
    """The reply as nested dictionaries; every key is always there."""
    outcome = turn.outcome or Outcome.ERROR
    identifier = identifier or new_id()
    conflict = _conflict(turn, corpus)
    cited = [p for item in turn.sentences for p in item.citations]
    shown = list(dict.fromkeys([*cited, *[side["passage"] for side in (conflict or {"sides": []})["sides"]]]))
    numbers = _Numbers.of(shown, corpus)
    ids = (f"{identifier}-c{n}" for n in count(1))
    sentences = [_sentence(item, numbers, ids, corpus, wording) for item in turn.sentences]
    brief = corpus.briefs.get(turn.reading.brief or "") if turn.reading else None
    return {
        "kind": "full",
        "id": identifier,
        "outcome": outcome.value,
        "reason": turn.reason,
        "heading": wording.page["outcomes"][outcome.value],
        "card": card_view(turn.card, turn.question.country, wording, corpus),
        "groups": _groups(sentences, wording),
        "sentences": sentences,
        "conflict": conflict,
        "sources": [
            source_view(
                corpus.sources[key],
                n,
                [corpus.passages[p] for p in shown if corpus.passages[p].source == key],
                wording,
                study=outcome is not Outcome.REFUSE_REDIRECT,
            )
            for key, n in numbers.by_source.items()
        ],
        "made_with": {
            "version": __version__,
            "corpus": corpus.hash,
            "prompts": prompts_hash(),
            "chat_model": None,
        },
        "timings_ms": dict(turn.timings_ms),
        "open_checks": turn.question.level == "clinician",
        "behind_choice": wording.page["choice"] if brief and brief.behind_choice and outcome in ANSWERED else None,
        "language": _language(turn, wording),
    }
