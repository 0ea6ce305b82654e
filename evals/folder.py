"""The folder of a run: settings, environment, what was generated and scored, problems, and the report."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


class RunError(RuntimeError):
    """A run folder that cannot be used: one line."""


def new_folder(kind: str, out: Path | None = None) -> Path:
    """The folder of this run, made: `out`, or evals/results/<kind>-<utc time>."""
    folder = out or RESULTS / f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_run(name: str) -> Path:
    """A run by its folder, or by its name under evals/results. Raises RunError."""
    for path in (Path(name), RESULTS / name):
        if (path / "config.json").is_file():
            return path
    raise RunError(f"{name}: no such run; a run's folder holds config.json")


def write_json(path: Path, content: Any) -> Path:
    """The content as a JSON file, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


@dataclass(frozen=True)
class Run:
    """A run on disk."""

    folder: Path

    @property
    def config(self) -> dict[str, Any]:
        """The settings that the run was started with. Raises RunError."""
        path = self.folder / "config.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError(f"{path}: cannot be read") from None
        return found

    @property
    def report(self) -> dict[str, Any]:
        """The run's report.json. Raises RunError."""
        path = self.folder / "report.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError(f"{path}: cannot be read; `python -m evals score {self.folder.name}` makes it") from None
        return found

    def begin(self, config: dict[str, Any]) -> bool:
        """Writes the settings; true where the folder holds the same run, to be resumed. Raises RunError."""
        if (self.folder / "config.json").is_file():
            changed = sorted(name for name, value in config.items() if self.config.get(name) != value)
            if changed:
                raise RunError(f"{self.folder}: holds a run with another {changed[0]}; give a new folder")
            return True
        write_json(self.folder / "config.json", config)
        return False

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Rows of a JSON lines file; the last line may be broken off, where the run was ended in the middle."""
        path = self.folder / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, start=1):
            try:
                yield json.loads(line)
            except ValueError:
                if number == len(lines):
                    return
                raise RunError(f"{path}:{number}: not JSON") from None

    def append(self, name: str, row: dict[str, Any]) -> None:
        """One row more, on disk when this returns."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def write(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """The file anew, whole or not at all; a broken last line goes."""
        partial = self.folder / f"{name}.partial"
        with partial.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        partial.replace(self.folder / name)

    def problem(self, line: str) -> None:
        """One line in problems.log."""
        with (self.folder / "problems.log").open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
