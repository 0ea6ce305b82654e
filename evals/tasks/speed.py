"""Speed: latency by stage, throughput and memory of the real server on loopback, and how long setting up takes."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals import bench as speed
from evals.server_process import ROOT, free_port
from evals.tasks.base import Bench, NotRun, Output, Sample, Score

SECONDS = 10.0
CLIENTS = 8
STAMP = ROOT / ".venv" / ".serve"


def install_seconds(stamp: Path = STAMP) -> float | None:
    """What `make serve` measured when it installed the packages; None where it did not."""
    try:
        return float(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def index_seconds(bench: Bench) -> float:
    """Seconds to build the topic's index from nothing, in a folder that goes away."""
    from server.embedding import Embedder
    from server.index import Index

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        Index(Path(folder), Embedder()).build(bench.production.corpus)
        return time.perf_counter() - started


class SpeedTask:
    """One sample: the server started, measured and ended."""

    name = "bench"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """One; none in a quick run."""
        if bench.quick:
            raise NotRun("left out of a quick run")
        return [Sample("server")]

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """Everything measured, as `python -m evals bench` has it, and set-up."""
        seen = speed.measure(free_port(), SECONDS, CLIENTS)
        return {
            **speed.content(seen),
            "set_up": {
                "install_s": install_seconds(),
                "index_s": index_seconds(bench),
                "cold_start_s": seen.cold_start_s,
            },
        }

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """Bars that were missed."""
        return {"missed": [bar["name"] for bar in output["bars"] if bar["state"] == "missed"], "measured": output}

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """As measured."""
        return dict(scores[0]["measured"]) if scores else {}
