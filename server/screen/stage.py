"""The screen as a stage: danger first, then language, then requests that are refused, then length."""

import re

from server.corpus import Corpus
from server.screen.labels import MEANINGS
from server.screen.language import detect
from server.screen.model import Model
from server.screen.model import load as load_model
from server.screen.red_flags import Flag, scan_dialogue
from server.turn import SAFETY, Outcome, Question, Screening, Turn

MAX_QUESTION = 4_000  # characters (design: contracts.md, `POST /api/ask`)


def drug_pattern(corpus: Corpus) -> str:
    """The topic's names of the drug as an alternation for the rules."""
    return "|".join(map(re.escape, corpus.topic.screen_names))


def safety_flag(messages: tuple[str, ...], corpus: Corpus) -> Flag | None:
    """The rules' safety flag for a dialogue, or None: asked before every limit, whatever happens to the request."""
    flag = scan_dialogue(messages, drug_pattern(corpus)) if messages else None
    return flag if flag is not None and flag.outcome in SAFETY else None


def alarms(messages: tuple[str, ...], model: Model) -> list[Flag | None]:
    """What the trained part of the screen says of each message, as a rule would say it."""
    found = (MEANINGS.get(label) for label in model.labels(messages))
    return [Flag(m.outcome, m.reason, m.category, "model", m.card) if m else None for m in found]


class Screen:
    """Turn → Turn. Ends it for danger, another language or an over-long text; marks requests that are refused.

    Danger is looked for by rules and by a trained model; either alarm is enough.
    """

    def __init__(self, corpus: Corpus, model: Model | None = None) -> None:
        self._model = model or load_model()
        self._briefs = corpus.topic.screen_briefs
        self._drug = drug_pattern(corpus)
        self._names = (*corpus.topic.drug_names, corpus.topic.condition)

    def __call__(self, turn: Turn) -> Turn:
        """Raises whatever a detector raises: the runner turns that into the help card."""
        messages = turn.question.user_messages
        flag = scan_dialogue(messages, self._drug, alarms(messages, self._model))
        if flag is not None and flag.outcome in SAFETY:
            seen = Screening(flag.outcome, flag.reason, flag.card, flag.category)
            return turn.having(screening=seen).ended(flag.outcome, flag.reason, flag.card)
        return self._calm(turn, turn.question, flag)

    def _calm(self, turn: Turn, question: Question, flag: Flag | None) -> Turn:
        language = detect(question.text, self._names)
        if language is not None:
            seen = Screening(Outcome.LANGUAGE, "other_language", "language", "other_language", language=language)
            return turn.having(screening=seen, language=language).ended(Outcome.LANGUAGE, "other_language", "language")
        if flag is not None:
            brief = self._briefs.get(flag.category) or self._briefs.get(flag.reason)
            return turn.having(screening=Screening(category=flag.category, mark=flag.outcome, mark_brief=brief))
        if len(question.text) > MAX_QUESTION:
            return turn.having(screening=Screening(mark=Outcome.CLARIFY, mark_brief="too_long"))
        return turn.having(screening=Screening())
