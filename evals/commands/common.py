"""What the commands share: how they end, and which errors are told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from evals.cases import CasesError
from evals.folder import RunError
from evals.judges import JudgeError
from evals.labels import LabelsError
from evals.thresholds import ThresholdsError
from evals.training.support_data import PairsError
from server.corpus import CorpusError
from server.embedding import WeightsError
from server.llm import ChatModelError
from server.screen.model import ModelError
from server.settings import SettingsError
from server.verify.model import VerifierError

BAD_START = 2
TOLD = (
    CasesError,
    ChatModelError,
    CorpusError,
    JudgeError,
    LabelsError,
    ModelError,
    RunError,
    SettingsError,
    ThresholdsError,
    VerifierError,
    WeightsError,
    PairsError,
    OSError,
)


def stop(line: str) -> typer.Exit:
    """One line on standard error, exit 2."""
    typer.echo(line, err=True)
    return typer.Exit(BAD_START)


@contextmanager
def told() -> Iterator[None]:
    """An error that a user can act on ends the command with one line."""
    try:
        yield
    except TOLD as error:
        raise stop(str(error)) from None
    except KeyboardInterrupt:
        raise stop("stopped; the same command with --out goes on where it was") from None
