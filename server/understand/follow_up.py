"""Follow-ups are read with the user's turn before them; an assistant's text is never trusted."""

import re

from server.turn import Question

MAX_WORDS = 9
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|there|that|those|this) ?(?:one|ones|study|trial)?\b", re.IGNORECASE
)


def is_follow_up(text: str, cues: tuple[str, ...], terms: tuple[str, ...]) -> bool:
    """A short message that leans on the one before it: a cue word, and nothing that names its own matter."""
    words = text.split()
    if not words or len(words) > MAX_WORDS:
        return False
    lowered = text.lower()

    def holds(names: tuple[str, ...]) -> bool:
        return any(re.search(r"(?<!\w)" + re.escape(name) + r"(?!\w)", lowered) for name in names)

    return holds(cues) and not holds(terms)


def points_back(text: str) -> bool:
    """A short message with a word that stands for something said before."""
    return len(text.split()) <= MAX_WORDS and bool(_POINTS_BACK.search(text))


def previous(question: Question) -> str | None:
    """The user's message before the last one, or None."""
    earlier = question.user_messages[:-1]
    return earlier[-1] if earlier else None
