"""The production code, loaded once: engine, topic, and its stages; a case may plant a text or turn the order round."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from evals.cases import Case
from evals.score import question_of
from server.compose.reviewed import Compose
from server.corpus import Corpus
from server.engine import Engine, load_engine
from server.pipeline import STAGES, Stage
from server.retrieve.stage import Retrieve
from server.settings import load_settings
from server.turn import Hit, Message, Question, Reading, Turn
from server.verify.stage import Verify


def with_planted(corpus: Corpus, case: Case) -> Corpus:
    """The corpus in which the case's attack stands at the end of its passage."""
    if case.planted is None:
        return corpus
    passage = corpus.passages[case.planted.passage]
    poisoned = replace(passage, text=f"{passage.text} {case.planted.text}")
    return replace(corpus, passages={**corpus.passages, passage.id: poisoned})


class Production:
    """What evaluations need of the product: its stages one by one, and the whole path."""

    def __init__(self, engine: Engine, topic: str) -> None:
        self.engine = engine
        self.topic = topic
        self.corpus = engine.corpora[topic]

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Stages by name, as production runs them."""
        return self.engine.pipelines[self.topic].stages

    @property
    def retrieve(self) -> Retrieve:
        """The production retriever."""
        stage: Any = self.stages["retrieve"]
        assert isinstance(stage, Retrieve)
        return stage

    def question(self, case: Case) -> Question:
        """The case as the product is asked it."""
        return question_of(case, self.topic)

    def turn(self, case: Case, reordered: bool = False) -> Turn:
        """The finished turn; with `reordered`, or in a case that asks for it, retrieved passages come last first."""
        turned = reordered or "reordered" in case.traits
        if case.planted is None and not turned:
            return self.engine.ask(self.question(case))
        turn = Turn(self.question(case))
        for name, stage in self._stages_for(case):
            turn = stage(turn)
            if name == "retrieve" and turned:
                turn = turn.having(hits=tuple(reversed(turn.hits)))
            if turn.outcome is not None:
                break
        return turn

    def _stages_for(self, case: Case) -> Iterator[tuple[str, Stage]]:
        corpus = with_planted(self.corpus, case)
        own: dict[str, Stage] = {}
        if corpus is not self.corpus:
            verify = self.stages["verify"]
            assert isinstance(verify, Verify)
            wording = self.engine.wording
            own = {"compose": Compose(corpus, wording), "verify": verify.for_corpus(corpus, wording)}
        for name in STAGES:
            yield name, own.get(name, self.stages[name])

    def reading(self, case: Case) -> Reading:
        """How `understand` reads the case, whatever the screen says."""
        reading = self.stages["understand"](Turn(self.question(case))).reading
        if reading is None:
            raise RuntimeError("understand gave no reading")
        return reading

    def search(self, text: str, k: int) -> tuple[Hit, ...]:
        """The first k passages for a text, fused as production does it."""
        question = Question((Message("user", text),), topic=self.topic)
        reading = self.stages["understand"](Turn(question)).reading
        return tuple(self.retrieve.search(reading, "passage")[:k]) if reading is not None else ()


@contextmanager
def production() -> Iterator[Production]:
    """The production engine as the settings say, ended with the block; the index is built where it is missing."""
    from server.log import configure

    configure()
    settings = load_settings()
    engine = load_engine(settings)
    try:
        yield Production(engine, settings.topic)
    finally:
        engine.close()
