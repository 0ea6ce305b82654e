"""Is each check of the gate tested? Planted drafts go straight to `verify`; with its check off, one gets through."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args
from unittest.mock import patch

from pydantic import BaseModel, ConfigDict

from evals.cases import CasesError
from evals.jsonl import read_lines
from server.corpus import Corpus
from server.turn import Draft, Outcome, Question, Role, Sentence, Turn
from server.verify.stage import Verify
from server.wording import Wording

DRAFTS = Path(__file__).resolve().parent / "cases" / "mutations.jsonl"
Check = Literal["citations", "figures", "labels", "wording", "support"]
CHECKS: tuple[Check, ...] = get_args(Check)
_STAGE = "server.verify.stage"
# What each check finds when it is switched off: nothing.
_OFF: dict[Check, tuple[str, Any]] = {
    "citations": ("cited", lambda sentence, corpus: True),
    "figures": ("unsupported", lambda sentence, passages: []),
    "labels": ("label_faults", lambda sentences, corpus: set()),
    "wording": ("problems", lambda text, certainty=None: iter(())),
    "support": ("Verify.threshold", 0.0),
}


class PlantedDraft(BaseModel):
    """One sentence that must never be shown, and the one check that stops it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    check: Check
    text: str
    passages: tuple[str, ...]
    certainty: str | None = None
    why: str


def planted_drafts(path: Path = DRAFTS) -> tuple[PlantedDraft, ...]:
    """The fixed list. Raises CasesError that names file and line."""
    return tuple(one for _, one in read_lines(path, PlantedDraft, CasesError))


@contextmanager
def without(check: Check) -> Iterator[None]:
    """The production gate with one of its checks switched off."""
    name, nothing = _OFF[check]
    with patch(f"{_STAGE}.{name}", nothing):
        yield


def let_through(corpus: Corpus, wording: Wording, drafts: tuple[PlantedDraft, ...]) -> list[str]:
    """Ids of the planted drafts that `verify` would show to a person."""
    verify = Verify(corpus, wording)
    found = []
    for one in drafts:
        sentence = Sentence(one.text, Role.LEAD, one.passages, composer="planted", certainty=one.certainty)
        turn = Turn(Question(()), draft=Draft(Outcome.ANSWER, None, (sentence,)))
        if any(shown.text == one.text for shown in verify(turn).sentences):
            found.append(one.id)
    return found


def mutation_check(corpus: Corpus, wording: Wording) -> list[str]:
    """What is wrong, one line each: a planted draft that is shown, or a check that could be lost unnoticed.

    The trained verifier stops much of what the other checks are for, so these are tried where support is not asked.
    """
    drafts = planted_drafts()
    shown = let_through(corpus, wording, tuple(one for one in drafts if one.check == "support"))
    with without("support"):
        shown += let_through(corpus, wording, tuple(one for one in drafts if one.check != "support"))
    lines = [f"planted draft {key} is shown" for key in shown]
    for check in CHECKS:
        mine = tuple(one for one in drafts if one.check == check)
        with without("support"), without(check):
            if not let_through(corpus, wording, mine):
                lines.append(f"without the check {check!r}, no planted draft is shown: nothing tests it")
    return lines
