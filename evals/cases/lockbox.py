"""The lock box: sealed cases. A report gives counts only; a look is logged; after three looks they are spent."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from evals.cases.case import Case, CasesError
from evals.cases.read import FOLDER, read_cases

LOCKBOX = FOLDER / "lockbox.jsonl"
LOG = FOLDER / "lockbox_looks.jsonl"
MAX_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Looks:
    """How often the lock box was opened."""

    count: int

    @property
    def spent(self) -> bool:
        """Whether its cases are no longer unseen and have to be replaced (R91)."""
        return self.count >= MAX_LOOKS


@dataclass(frozen=True, slots=True)
class _Look:
    at: str
    version: str
    why: str


def lockbox_cases(path: Path = LOCKBOX) -> tuple[Case, ...]:
    """The sealed cases. Raises CasesError, which names no text."""
    cases = read_cases((path,))
    unsealed = [case.id for case in cases if not case.lockbox]
    if unsealed:
        raise CasesError(f"{unsealed[0]}: lockbox: an open case stands in the lock box")
    return cases


def looks(log: Path = LOG) -> Looks:
    """The looks so far at these cases."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Looks(sum(bool(line.strip()) for line in lines))


def log_look(version: str, why: str, log: Path = LOG) -> Looks:
    """Logs a look, before anything is shown. Raises CasesError where the cases are spent."""
    if looks(log).spent:
        raise CasesError(f"the lock box has been opened {MAX_LOOKS} times; write new cases and empty {log.name}")
    look = _Look(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", version, why)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(look), ensure_ascii=False) + "\n")
    return looks(log)
