"""The one reader of JSON lines: a broken line is told by file, line and field, never by its text."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from evals.questions import says

T = TypeVar("T", bound=BaseModel)


def read_lines(path: Path, kind: type[T], error: type[Exception]) -> Iterator[tuple[str, T]]:
    """(where, row) of every line that is not blank. Raises `error`, one line, for a file or a row it cannot use."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would cut at U+2028 inside a text
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"{path.name}: cannot be read: {getattr(problem, 'strerror', None) or problem}") from None
    for number, line in enumerate(lines, start=1):
        where = f"{path.name}:{number}"
        if line.strip():
            try:
                yield where, kind.model_validate(json.loads(line))
            except ValidationError as problem:
                raise error(f"{where}: {says(problem)}") from None
            except ValueError as problem:
                raise error(f"{where}: not JSON: {problem}") from None
