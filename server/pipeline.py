"""The path of a question: one tuple of stages and its runner."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StageTimeout

import structlog

from server.compose.reviewed import Compose
from server.corpus import Corpus
from server.embedding import Embedder
from server.index import Examples, Index
from server.retrieve.stage import Retrieve
from server.screen.stage import Screen
from server.turn import Outcome, Turn
from server.understand.stage import Understand
from server.verify.stage import Verify
from server.verify.support import Supports
from server.wording import Wording

Stage = Callable[[Turn], Turn]
STAGES = ("screen", "understand", "retrieve", "compose", "verify")
log = structlog.get_logger("plaincite.pipeline")


def build_stages(
    corpus: Corpus,
    wording: Wording,
    index: Index,
    examples: Examples,
    embedder: Embedder,
    supports: Supports | None = None,
) -> tuple[tuple[str, Stage], ...]:
    """The stages by name, in the order of STAGES."""
    stages: tuple[Stage, ...] = (
        Screen(corpus),
        Understand(corpus, examples, embedder),
        Retrieve(corpus, index),
        Compose(corpus, wording),
        Verify(corpus, wording, supports),
    )
    return tuple(zip(STAGES, stages, strict=True))


class Pipeline:
    """Runs the stages: times each, turns any failure into outcome `error`, stops at the first ending."""

    def __init__(self, stages: tuple[tuple[str, Stage], ...], timeout_s: float = 5.0, threads: int = 4) -> None:
        self._stages = stages
        self._timeout_s = timeout_s
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="stage")

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages by name: a test or an evaluation runs any part of the path."""
        return dict(self._stages)

    def run(self, turn: Turn) -> Turn:
        """The finished turn; it always has an outcome."""
        finished = turn
        for _, finished in self.steps(turn):  # noqa: B007 the last one counts
            pass
        return finished

    def steps(self, turn: Turn) -> Iterator[tuple[str, Turn]]:
        """(stage, turn after it), one at a time, up to the first ending: what the stream shows."""
        timings: dict[str, float] = {}
        begun = time.perf_counter()
        for name, stage in self._stages:
            started = time.perf_counter()
            try:
                turn = self._pool.submit(stage, turn).result(self._timeout_s)
            except (Exception, StageTimeout) as error:
                log.error("stage.failed", stage=name, error=type(error).__name__)
                turn = turn.ended(Outcome.ERROR, "failure", "help_now", sentences=())
            timings[name] = round((time.perf_counter() - started) * 1000, 3)
            total = round((time.perf_counter() - begun) * 1000, 3)
            turn = turn.having(timings_ms={**timings, "total": total})
            yield name, turn
            if turn.outcome is not None:
                return
        if turn.outcome is None:
            yield "verify", turn.ended(Outcome.ERROR, "failure", "help_now", sentences=())

    def close(self) -> None:
        """Lets running stages finish; a pipeline that is asked again starts new threads."""
        ended, self._pool = self._pool, ThreadPoolExecutor(self._threads, thread_name_prefix="stage")
        ended.shutdown(wait=True)
