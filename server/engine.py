"""Everything that answers, loaded once: corpora, words, index, embedding model and one pipeline a topic."""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

from server.corpus import Corpus, load_corpora
from server.embedding import Embedder
from server.index import Index, Progress, index_folder
from server.paths import CORPUS
from server.pipeline import Pipeline, build_stages
from server.settings import Settings
from server.turn import Message, Question, Turn
from server.verify.model import load
from server.verify.support import Scorer, Supports, stored_verdicts
from server.wording import Wording, load_wording


@dataclass(frozen=True)
class Engine:
    """Loaded and ready to answer."""

    corpora: dict[str, Corpus]
    wording: Wording
    pipelines: dict[str, Pipeline]

    def ask(self, question: Question) -> Turn:
        """The finished turn of a question; its topic must be one of `corpora`."""
        return self.pipelines[question.topic].run(Turn(question))

    def steps(self, question: Question) -> Iterator[tuple[str, Turn]]:
        """(stage, turn after it), up to the ending."""
        return self.pipelines[question.topic].steps(Turn(question))

    def close(self) -> None:
        """Ends the worker threads once they are idle."""
        for pipeline in self.pipelines.values():
            pipeline.close()


def _silent(done: int, total: int) -> None:
    """Shows no progress."""


def reviewed_supports(corpus: Corpus, settings: Settings, scorer: Scorer, progress: Progress = _silent) -> Supports:
    """Verdicts on every reviewed claim, kept beside the index: claims that have one already cost nothing."""
    wanted = [(c.text, tuple(corpus.evidence(p) for p in c.passages)) for c in corpus.claims.values()]
    path = index_folder(settings.data_dir).parent / f"{index_folder(settings.data_dir).name}-{corpus.topic.id}.json"
    return Supports(scorer, stored_verdicts(path, scorer, wanted, progress))


def load_engine(settings: Settings, progress: Progress = _silent) -> Engine:
    """Load everything, building the index where it is missing or stale.

    Raises CorpusError, WeightsError, VerifierError.
    """
    corpora = load_corpora(CORPUS)
    wording = load_wording()
    embedder = Embedder()
    loading = Thread(target=embedder.load, daemon=True)  # its imports take seconds, and so do the store's
    loading.start()
    index = Index(settings.data_dir, embedder, settings.chroma_url)
    loading.join()  # the scorer imports the same package, which cannot be done from two threads at once
    scorer = load()
    pipelines = {}
    for topic, corpus in corpora.items():
        if not index.is_ready(corpus):
            index.build(corpus, progress)
        supports = reviewed_supports(corpus, settings, scorer, progress)
        stages = build_stages(corpus, wording, index, index.examples(corpus), embedder, supports)
        pipelines[topic] = Pipeline(stages, settings.stage_timeout_s, threads=settings.max_running)
    embedder.load()
    embedder.settle()
    for topic, pipeline in pipelines.items():
        # The first answer compiles rules and opens indexes: better now than while somebody waits.
        pipeline.run(Turn(Question((Message("user", corpora[topic].topic.example_questions[0]),), topic=topic)))
    return Engine(corpora, wording, pipelines)
