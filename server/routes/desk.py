"""What every route works with: settings, words, corpora, the engine once it is loaded, limits and counters."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from server import __version__
from server.corpus import Corpus
from server.engine import Engine
from server.log import log_turn
from server.metrics import Metrics
from server.screen.stage import safety_flag
from server.settings import Settings
from server.turn import Outcome, Question, Turn
from server.wording import Wording

READY_WITHIN_S = 60.0
MANY = 100  # messages: more than any dialogue may hold are read as one text


class Busy(Exception):
    """Too many requests wait already."""


@dataclass
class Desk:
    """The state of one running app. `engine` is a future: rules and help lines work before the models are loaded."""

    settings: Settings
    wording: Wording
    corpora: dict[str, Corpus]
    engine: Future[Engine]
    metrics: Metrics = field(default_factory=Metrics)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _storage: MemoryStorage = field(default_factory=MemoryStorage)
    _running: ThreadPoolExecutor | None = None
    _waiting: int = 0

    def __post_init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._running = ThreadPoolExecutor(self.settings.max_running, thread_name_prefix="answer")

    @property
    def corpus(self) -> Corpus:
        """The topic that answers when a request names none."""
        return self.corpora[self.settings.topic]

    @property
    def off(self) -> bool:
        """Whether answers are switched off."""
        return self.settings.off == "yes"

    @property
    def ready(self) -> bool:
        """Whether index and models are loaded."""
        return self.engine.done() and self.engine.exception() is None

    @property
    def signed(self) -> bool:
        """Whether every card and claim carries a signature; until then pages say that none does."""
        cards = all(card["signed_by"] for card in self.wording.cards.values())
        claims = all(claim.signed_by for corpus in self.corpora.values() for claim in corpus.claims.values())
        notes = all(card.signed_by for corpus in self.corpora.values() for card in corpus.context.values())
        return cards and claims and notes

    def allowed(self, client: str) -> bool:
        """Whether this client may ask once more now. Only a keyed hash is held, in memory, for a minute."""
        per_minute = self.settings.rate_per_minute
        if per_minute == 0:
            return True
        key = hmac.new(self._secret, client.encode(), sha256).hexdigest()[:24]
        return bool(self._limiter.hit(RateLimitItemPerMinute(per_minute), key))

    def danger(self, messages: tuple[str, ...], country: str | None) -> Turn | None:
        """A finished safety turn for a request that would be refused, or None. A rule that breaks counts as danger."""
        question = Question((), country, topic=self.settings.topic)
        if len(messages) > MANY:
            messages = (" . ".join(messages),)
        try:
            flag = safety_flag(messages, self.corpus)
        except Exception:
            return Turn(question).ended(Outcome.ERROR, "failure", "help_now")
        return Turn(question).ended(flag.outcome, flag.reason, flag.card) if flag else None

    async def ask(self, question: Question, route: str, told: Callable[[str], None] | None = None) -> Turn:
        """The finished turn; `told` hears each stage's name as it ends. Raises Busy where the queue is full."""
        if self._waiting >= self.settings.max_running + self.settings.max_waiting:
            raise Busy
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return self.done(await loop.run_in_executor(self._running, self._ask, question, told), route)
        finally:
            self._waiting -= 1

    def _ask(self, question: Question, told: Callable[[str], None] | None) -> Turn:
        ended = None if self.ready else self.danger(question.user_messages, question.country)
        if ended is not None:
            return ended.having(question=question)
        try:
            turn = Turn(question)
            for stage, turn in self.engine.result(READY_WITHIN_S).steps(question):  # noqa: B007 the last one counts
                if told is not None:
                    told(stage)
            return turn
        except Exception:
            # Not loaded, or not in time: danger still gets its own card, everything else the calm one.
            ended = self.danger(question.user_messages, question.country)
            return (ended or Turn(question).ended(Outcome.ERROR, "failure", "help_now")).having(question=question)

    def done(self, turn: Turn, route: str) -> Turn:
        """Counts and logs a finished turn, and hands it on."""
        self.metrics.turn(turn)
        log_turn(turn, route, self.corpora.get(turn.question.topic, self.corpus).hash, __version__)
        return turn

    def help_lines(self, country: str | None = None) -> list[dict[str, Any]]:
        """The country's lines, as every refusal carries them."""
        return self.wording.lines(country)

    def close(self) -> None:
        """Lets running answers finish."""
        ended = self._running
        self._running = ThreadPoolExecutor(self.settings.max_running, thread_name_prefix="answer")
        if ended is not None:
            ended.shutdown(wait=True)
        if self.ready:
            self.engine.result().close()
