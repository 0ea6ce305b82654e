"""One JSON line a turn: outcome, timings, passage ids, hashes; never the text, never an address (R74, R80)."""

import logging
import sys
from collections import Counter
from typing import Any

import structlog

from server.turn import SAFETY, Turn

turns = structlog.get_logger("plaincite.turn")


def configure(stream: Any = None) -> None:
    """Structured lines on standard error; errors carry a type's name only, never a message that could quote."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in ("httpx", "chromadb", "sentence_transformers", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def log_turn(turn: Turn, route: str, corpus_hash: str, version: str) -> None:
    """Writes the line. A safety outcome is logged as "safety": risk is counted in the aggregate only (R80)."""
    safety = turn.outcome in SAFETY
    turns.info(
        "turn",
        route=route,
        outcome="safety" if safety else turn.outcome,
        reason=None if safety else turn.reason,
        timings_ms=dict(turn.timings_ms),
        passages=sorted({p for item in turn.sentences for p in item.citations}),
        dropped=len(turn.dropped),
        dropped_for=dict(Counter(check for s in turn.dropped if s.verdict for check in s.verdict.failed)),
        corpus=corpus_hash[:12],
        version=version,
    )
