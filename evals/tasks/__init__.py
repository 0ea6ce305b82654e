"""Tasks: one a stage of the path and one for the whole. Each generates, and apart from that scores."""

from evals.tasks.base import Bench, NotRun, Output, Sample, Score, Task
from evals.tasks.registry import TASKS, task

__all__ = ["TASKS", "Bench", "NotRun", "Output", "Sample", "Score", "Task", "task"]
