"""Prometheus counters. Safety outcomes are shown rounded down to tens, so that no single person stands out (R80)."""

from collections.abc import Iterable
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from server.turn import SAFETY, Outcome, Turn

CELL = 10
_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 5.0)


class _Safety(Collector):
    """Counts of safety outcomes in tens."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def add(self, outcome: str) -> None:
        with self._lock:
            self._counts[outcome] = self._counts.get(outcome, 0) + 1

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "plaincite_safety_turns", "Safety replies shown, rounded down to tens", labels=["outcome"]
        )
        with self._lock:
            for outcome, number in sorted(self._counts.items()):
                if number >= CELL:
                    family.add_metric([outcome], number // CELL * CELL)
        yield family


class Metrics:
    """The process's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._safety = _Safety()
        self.registry.register(self._safety)
        self._turns = Counter("plaincite_turns", "Replies by outcome", ["outcome"], registry=self.registry)
        self._refused = Counter("plaincite_refused", "Requests refused by status", ["status"], registry=self.registry)
        self._dropped = Counter(
            "plaincite_dropped_sentences",
            "Sentences dropped by the check that failed",
            ["check"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "plaincite_turn_seconds",
            "Time a reply took, safety replies left out",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def turn(self, turn: Turn) -> None:
        """Counts a finished turn."""
        outcome = (turn.outcome or Outcome.ERROR).value
        if turn.outcome in SAFETY:
            self._safety.add(outcome)
            return
        self._turns.labels(outcome).inc()
        for sentence in turn.dropped:
            for check in sentence.verdict.failed if sentence.verdict else ():
                self._dropped.labels(check).inc()
        self._seconds.observe(turn.timings_ms.get("total", 0.0) / 1000)

    def refused(self, status: int) -> None:
        """Counts a request that got no reply."""
        self._refused.labels(str(status)).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
