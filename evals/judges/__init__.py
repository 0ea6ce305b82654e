"""Judges: does a passage support a sentence? Each is independent of the gate and is itself measured against labels."""

from evals.judges.base import Judge, JudgeError, Opinion
from evals.judges.load import load_judge

__all__ = ["Judge", "JudgeError", "Opinion", "load_judge"]
