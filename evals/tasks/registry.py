"""The tasks by name, in the order in which they run."""

from evals.tasks.base import Task
from evals.tasks.lockbox import LockboxTask
from evals.tasks.retrieve import RetrieveTask
from evals.tasks.scifact import ScifactTask
from evals.tasks.screen import ScreenTask
from evals.tasks.speed import SpeedTask
from evals.tasks.understand import UnderstandTask
from evals.tasks.verify import VerifyTask
from evals.tasks.whole import WholeTask

TASKS: dict[str, Task] = {
    one.name: one
    for one in (
        ScreenTask(),
        UnderstandTask(),
        RetrieveTask(),
        ScifactTask(),
        VerifyTask(),
        WholeTask(),
        LockboxTask(),
        SpeedTask(),
    )
}


def task(name: str) -> Task:
    """The task of that name. Raises KeyError with the names there are."""
    if name not in TASKS:
        raise KeyError(f"no task {name!r}: {', '.join(TASKS)}")
    return TASKS[name]
