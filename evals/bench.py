"""`python -m evals bench`: cold start, warm answers, answers a second, memory, and the time of each stage."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.bars import Bar
from evals.client import Reply, at_once, in_turn
from evals.server_process import resident_bytes, running
from evals.stats import largest, mean, percentile
from evals.table import number
from server import __version__

QUESTIONS = Path(__file__).with_name("bench_questions.txt")
WARM_UP = 20
MIN_REQUESTS = 200
BAR_MEDIAN_MS = 60.0
BAR_P95_MS = 200.0
BAR_PER_SECOND = 30.0
BAR_MEMORY_GB = 1.5
BAR_COLD_S = 12.0


@dataclass(frozen=True)
class Measured:
    """Everything that a bench run saw."""

    cold_start_s: float
    one: list[Reply]
    many: list[Reply]
    many_s: float
    clients: int
    memory_bytes: float | None
    load_before: float

    @property
    def per_second(self) -> float:
        """Good answers a second with all clients asking."""
        return sum(reply.good for reply in self.many) / self.many_s

    @property
    def failed(self) -> int:
        """Replies that were not a 200, or were the error card."""
        return sum(not reply.good for reply in (*self.one, *self.many))

    def ms(self, percent: float) -> float | None:
        """Percentile of the time of a good answer, one client asking."""
        return percentile([reply.ms for reply in self.one if reply.good], percent)


def read_bench_questions(path: Path = QUESTIONS) -> tuple[str, ...]:
    """The questions, one a line; blank lines and lines that start with # are left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def requests_for(questions: Sequence[str]) -> int:
    """At least 200 requests, each question asked equally often."""
    return -(-MIN_REQUESTS // len(questions)) * len(questions)


def measure(port: int, seconds: float, clients: int, command: Sequence[str] | None = None) -> Measured:
    """Starts the server, measures, ends it. Raises ServerError when it does not come up."""
    questions = read_bench_questions()
    load = os.getloadavg()[0]
    with running(port, command) as (pid, cold_start_s):
        in_turn(port, questions, WARM_UP)
        one = in_turn(port, questions, requests_for(questions))
        memory = [resident_bytes(pid)]
        many, many_s = at_once(port, questions, clients, seconds)
        memory.append(resident_bytes(pid))
    read = [float(size) for size in memory if size is not None]
    return Measured(cold_start_s, one, many, many_s, clients, largest(read), load)


def bars(seen: Measured) -> list[Bar]:
    """The bars of a bench run."""
    memory = None if seen.memory_bytes is None else seen.memory_bytes / 1e9
    return [
        Bar("cold start", seen.cold_start_s, "<", BAR_COLD_S, "s"),
        Bar("warm answer, median", seen.ms(50), "<", BAR_MEDIAN_MS, "ms"),
        Bar("warm answer, p95", seen.ms(95), "<", BAR_P95_MS, "ms"),
        Bar(f"answers a second, {seen.clients} clients", seen.per_second, ">=", BAR_PER_SECOND, "a second"),
        Bar("resident memory", memory, "<", BAR_MEMORY_GB, "GB"),
        Bar("replies that failed", seen.failed, "<=", 0),
    ]


def profile(replies: Sequence[Reply]) -> dict[str, dict[str, float | int | None]]:
    """Mean time of each stage over the replies that ran it, and how many did."""
    stages = dict.fromkeys(name for reply in replies for name in reply.timings_ms)
    times = {stage: [reply.timings_ms[stage] for reply in replies if stage in reply.timings_ms] for stage in stages}
    return {stage: {"mean_ms": mean(values), "replies": len(values)} for stage, values in times.items()}


def stage_lines(stages: dict[str, dict[str, float | int | None]]) -> dict[str, str]:
    """The profile in words, a stage a line."""
    return {name: f"{number(one['mean_ms'], 2)} ms ({one['replies']})" for name, one in stages.items()}


def content(seen: Measured) -> dict[str, Any]:
    """The run as report.json."""
    return {
        "kind": "bench",
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "made_with": {"version": __version__, "python": platform.python_version(), "cores": os.cpu_count()},
        "load_before": seen.load_before,
        "bars": [bar.to_json() for bar in bars(seen)],
        "cold_start_s": seen.cold_start_s,
        "one_client": {
            "requests": len(seen.one),
            "median_ms": seen.ms(50),
            "p95_ms": seen.ms(95),
            "p99_ms": seen.ms(99),
            "outcomes": dict(Counter(str(reply.outcome) for reply in seen.one)),
        },
        "many_clients": {
            "clients": seen.clients,
            "seconds": seen.many_s,
            "replies": len(seen.many),
            "per_second": seen.per_second,
            "median_ms": percentile([reply.ms for reply in seen.many if reply.good], 50),
            "p95_ms": percentile([reply.ms for reply in seen.many if reply.good], 95),
        },
        "failed": seen.failed,
        "memory_bytes": seen.memory_bytes,
        "stages": profile([reply for reply in seen.one if reply.good]),
    }
