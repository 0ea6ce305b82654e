"""One finished turn held against what its question expects. Nothing here looks at meanings."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from evals.questions import Item, patterns
from server.corpus import Corpus
from server.reading_level import grade, words
from server.render import to_view
from server.render.cards import card_text, card_view
from server.render.text import line_text
from server.turn import ANSWERED, UNCITED_ROLES, Message, Outcome, Question, Turn
from server.verify.figures import unsupported
from server.verify.labels import label_faults
from server.wording import Wording


class Answers(Protocol):
    """What the evaluation needs of an engine: the production one, or a test's."""

    @property
    def corpora(self) -> Mapping[str, Corpus]:
        """Topics by name."""

    @property
    def wording(self) -> Wording:
        """The fixed words."""

    def ask(self, question: Question) -> Turn:
        """The finished turn."""

    def close(self) -> None:
        """Ends what it started."""


@dataclass(frozen=True, slots=True)
class Found:
    """One regular expression of the question, and whether the reply keeps to it."""

    must: Literal["say", "not_say"]
    pattern: str
    held: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One item's result: no text of the question or of the reply. None means "nothing to judge", never 0."""

    id: str
    topic: str
    category: str
    answerable: str
    expected: str
    accepted: tuple[str, ...]
    outcome: str
    reason: str | None
    read_as: str
    cited: tuple[str, ...]
    sources_expected: tuple[str, ...]
    sources_mode: str
    sources: bool | None
    found: tuple[Found, ...]
    not_judged: int
    words: int
    answered: bool
    grade: float | None
    grade_with_names: float | None
    uncited: int
    figures: int
    labels: int
    dropped: int

    @property
    def right(self) -> bool:
        """The outcome is the expected one, or one that is just as fine."""
        return self.outcome in self.accepted

    def to_json(self) -> dict[str, Any]:
        """As it stands in report.json."""
        return asdict(self) | {"right": self.right}


def question_of(item: Item, topic: str) -> Question:
    """The item as the production code is asked it."""
    return Question(tuple(Message("user", text) for text in item.messages), item.country, topic=topic)


def shown_text(turn: Turn, corpus: Corpus, wording: Wording) -> tuple[str, str]:
    """(card with its lines, sentences), each as one text; a reply in another language counts as its card."""
    view = card_view(turn.card, turn.question.country, wording, corpus)
    parts = [view["title"], card_text(view), *map(line_text, view["help_lines"])] if view else []
    language = to_view(turn, corpus, wording)["language"] if turn.language else None
    if language is not None:
        parts += language["text"]
    return "\n".join(parts), " ".join(sentence.text for sentence in turn.sentences)


def expressions(item: Item, card: str, said: str) -> tuple[Found, ...]:
    """must_say over card and sentences; must_not_say over the sentences, or the card where it is the whole reply."""
    reply = f"{card}\n{said}"
    wanted = [Found("say", p.pattern, bool(p.search(reply))) for p in patterns(item.must_say)]
    unwanted = [Found("not_say", p.pattern, not p.search(said or card)) for p in patterns(item.must_not_say)]
    return (*wanted, *unwanted)


def sources_held(item: Item, cited: frozenset[str]) -> bool | None:
    """The expected sources are cited; None where the item is not answerable or expects none."""
    expected = frozenset(item.expected_sources)
    if item.answerable == "no" or item.sources_mode == "none" or not expected:
        return None
    return expected <= cited if item.sources_mode == "all" else bool(expected & cited)


def uncited(turn: Turn, corpus: Corpus) -> int:
    """Study sentences without a citation, or with one that leads nowhere."""
    study = [s for s in turn.sentences if s.role not in UNCITED_ROLES]
    return sum(not s.citations or any(p not in corpus.passages for p in s.citations) for s in study)


def lacking_figures(turn: Turn, corpus: Corpus) -> int:
    """Figures of study sentences that none of their passages hold."""
    count = 0
    for sentence in turn.sentences:
        if sentence.role not in UNCITED_ROLES:
            texts = [corpus.passages[p].text for p in sentence.citations if p in corpus.passages]
            count += len(unsupported(sentence.text, texts))
    return count


def _read_as(turn: Turn) -> str:
    """How the question was understood, for a miss: the screen's category, or the brief with its similarity."""
    if turn.screening is not None and (turn.screening.category or turn.screening.outcome):
        return f"screen {turn.screening.category or turn.screening.reason}"
    if turn.reading is None:
        return "not read"
    studies = f" {'+'.join(turn.reading.studies)}" if turn.reading.studies else ""
    return f"{turn.reading.brief or 'no brief'} {turn.reading.score:.2f}{studies}"


def score(item: Item, turn: Turn, corpus: Corpus, wording: Wording) -> Row:
    """The item's row."""
    card, said = shown_text(turn, corpus, wording)
    cited = [corpus.passages[p].source for s in turn.sentences for p in s.citations if p in corpus.passages]
    outcome = turn.outcome or Outcome.ERROR
    names = (*corpus.topic.drug_names, *corpus.topic.study_names)
    return Row(
        id=item.id,
        topic=item.topic,
        category=item.category,
        answerable=item.answerable,
        expected=item.expected_behaviour.value,
        accepted=tuple(sorted(outcome.value for outcome in item.accepted)),
        outcome=outcome.value,
        reason=turn.reason,
        read_as=_read_as(turn),
        cited=tuple(dict.fromkeys(cited)),
        sources_expected=item.expected_sources,
        sources_mode=item.sources_mode,
        sources=sources_held(item, frozenset(cited)),
        found=expressions(item, card, said),
        not_judged=item.not_judged,
        words=len(words(said)),
        answered=outcome in ANSWERED,
        grade=grade(said, names),
        grade_with_names=grade(said),
        uncited=uncited(turn, corpus),
        figures=lacking_figures(turn, corpus),
        labels=len(label_faults(turn.sentences, corpus)),
        dropped=len(turn.dropped),
    )
