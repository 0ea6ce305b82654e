"""The types that travel along the path of a question. This module imports nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

Level = Literal["plain", "clinician"]


class Outcome(StrEnum):
    """Every way a turn can end (closed list; design: contracts.md, "Outcomes")."""

    ANSWER = "answer"
    ANSWER_WITH_CARD = "answer_with_card"
    ANSWER_CORRECT_PREMISE = "answer_correct_premise"
    DECLINE_REDIRECT = "decline_redirect"
    REFUSE_REDIRECT = "refuse_redirect"
    CRISIS_IMMEDIATE = "crisis_immediate"
    CRISIS_CHECK = "crisis_check"
    EMERGENCY_MEDICAL = "emergency_medical"
    URGENT_AFTER_DOSE = "urgent_after_dose"
    GROUNDING = "grounding"
    THIRD_PARTY = "third_party"
    SAFETY_OTHER = "safety_other"
    MINOR = "minor"
    LANGUAGE = "language"
    OFF_TOPIC = "off_topic"
    CLARIFY = "clarify"
    META = "meta"
    BOUNDARY = "boundary"
    ERROR = "error"


ANSWERED = frozenset({Outcome.ANSWER, Outcome.ANSWER_WITH_CARD, Outcome.ANSWER_CORRECT_PREMISE})
SAFETY = frozenset(
    {
        Outcome.CRISIS_IMMEDIATE,
        Outcome.CRISIS_CHECK,
        Outcome.EMERGENCY_MEDICAL,
        Outcome.URGENT_AFTER_DOSE,
        Outcome.GROUNDING,
        Outcome.THIRD_PARTY,
        Outcome.SAFETY_OTHER,
        Outcome.MINOR,
    }
)


class Role(StrEnum):
    """What a sentence does in an answer (R20)."""

    LEAD = "lead"
    PREMISE = "premise"
    POINT = "point"
    UNKNOWN = "unknown"
    NEXT_STEP = "next_step"
    FIXED = "fixed"


UNCITED_ROLES = frozenset({Role.NEXT_STEP, Role.FIXED})


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the dialogue, as the page carries it."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: the dialogue (last message the user's), the country's code or None, level and topic."""

    messages: tuple[Message, ...]
    country: str | None = None
    level: Level = "plain"
    topic: str = ""

    @property
    def text(self) -> str:
        """The user's last message."""
        return self.messages[-1].content

    @property
    def user_messages(self) -> tuple[str, ...]:
        """Every message of the user, oldest first; the assistant's are never trusted."""
        return tuple(message.content for message in self.messages if message.role == "user")


@dataclass(frozen=True, slots=True)
class Passage:
    """A technical text that carries the figures; `words` says whose words a reader sees."""

    id: str
    source: str
    section: str
    words: Literal["review", "our_summary", "publisher"]
    text: str
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A plain sentence that a patient may be shown, tied to the passages that support it."""

    id: str
    text: str
    passages: tuple[str, ...]
    sources: tuple[str, ...]
    topics: frozenset[str]
    direction: str
    certainty: str
    why: str | None = None
    population: str | None = None
    comparator: str | None = None
    time: str | None = None
    signed_by: tuple[str, ...] = ()
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Screening:
    """What the screen saw. `outcome` ends the turn at once; `mark` lets the path go on, marked."""

    outcome: Outcome | None = None
    reason: str | None = None
    card: str | None = None
    category: str | None = None
    mark: Outcome | None = None
    mark_brief: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the question was understood: kind of question (brief), named studies, subject; `vector` is the query's."""

    brief: str | None
    score: float
    probability: float
    studies: tuple[str, ...] = ()
    subject: str | None = None
    query: str = ""
    in_scope: bool = True
    vector: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved claim or passage: reciprocal-rank score and cosine similarity (-1 to 1)."""

    id: str
    kind: Literal["claim", "passage"]
    score: float
    similarity: float


CHECKS = ("cited", "figures", "labels", "wording", "supported")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found for one sentence; support is a probability-like score, None where not asked."""

    support: float | None
    figures: bool
    labels: bool
    wording: bool
    best: tuple[int, ...] = ()  # the sentence of each cited passage that bears it out best, where that is known
    cited: bool = True
    supported: bool = True

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that the sentence failed, by name."""
        return tuple(name for name in CHECKS if not getattr(self, name))

    @property
    def passed(self) -> bool:
        """Every check holds."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft or of an answer."""

    text: str
    role: Role
    citations: tuple[str, ...] = ()
    composer: str = "reviewed"
    claim: str | None = None
    certainty: str | None = None
    why: str | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What compose proposes; only `verify` may turn it into an answer."""

    outcome: Outcome
    reason: str | None
    sentences: tuple[Sentence, ...]
    card: str | None = None
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question on its way to an ending."""

    question: Question
    screening: Screening | None = None
    reading: Reading | None = None
    hits: tuple[Hit, ...] = ()
    draft: Draft | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    card: str | None = None
    conflict: str | None = None
    sentences: tuple[Sentence, ...] = ()
    dropped: tuple[Sentence, ...] = ()
    language: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    def having(self, **changes: Any) -> "Turn":
        """A copy with the given fields replaced."""
        return replace(self, **changes)

    def ended(self, outcome: Outcome, reason: str | None, card: str | None = None, **changes: Any) -> "Turn":
        """A copy that has reached its ending."""
        return replace(self, outcome=outcome, reason=reason, card=card, **changes)
