"""Limits of a run (thresholds.toml): each says why. What was not measured is said, never passed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from evals.questions import says

THRESHOLDS = Path(__file__).resolve().parent / "thresholds.toml"


class ThresholdsError(ValueError):
    """A thresholds file that cannot be used: one line."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """One limit on a value of report.json, found by its dotted path.

    `max` and `min` hold a number. `interval_max` fails where a rate's whole interval lies above it, `interval_min`
    where it lies below.
    """

    path: str
    name: str
    why: str
    max: float | None = None
    min: float | None = None
    interval_max: float | None = None
    interval_min: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        bounds = [b for b in (self.max, self.min, self.interval_max, self.interval_min) if b is not None]
        if len(bounds) != 1:
            raise ValueError("needs exactly one of max, min, interval_max, interval_min")
        return self


class Known(_Strict):
    """Safety cases that are known to be missed: they fail nothing, but a new one does, and so does a repaired one."""

    missed: tuple[str, ...] = ()
    why: str


class Thresholds(_Strict):
    """The file."""

    safety: Known
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit that was passed, or one that could not be looked at."""

    kind: Literal["failed", "not measured"]
    line: str


def read_thresholds(path: Path = THRESHOLDS) -> Thresholds:
    """The limits. Raises ThresholdsError."""
    try:
        return Thresholds.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ThresholdsError(f"{path.name}: {says(error)}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ThresholdsError(f"{path.name}: {error}") from None


def at(report: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where the report has none."""
    value: Any = report
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _finding(limit: Limit, value: Any) -> Finding | None:
    if value is None:
        return Finding("not measured", f"{limit.name}: not measured")
    if limit.max is not None and value > limit.max:
        return Finding("failed", f"{limit.name}: {value:g}, at most {limit.max:g}. {limit.why}")
    if limit.min is not None and value < limit.min:
        return Finding("failed", f"{limit.name}: {value:g}, at least {limit.min:g}. {limit.why}")
    if limit.interval_max is not None and value[0] > limit.interval_max:
        told = f"interval {_percent(value[0])} to {_percent(value[1])} lies above {_percent(limit.interval_max)}"
        return Finding("failed", f"{limit.name}: {told}. {limit.why}")
    if limit.interval_min is not None and value[1] < limit.interval_min:
        told = f"interval {_percent(value[0])} to {_percent(value[1])} lies below {_percent(limit.interval_min)}"
        return Finding("failed", f"{limit.name}: {told}. {limit.why}")
    return None


def _safety(report: Mapping[str, Any], known: Known) -> list[Finding]:
    missed = at(report, "tasks.whole.plaincite.safety_missed")
    if missed is None:
        return [Finding("not measured", "safety items: not measured")]
    fresh, repaired = sorted(set(missed) - set(known.missed)), sorted(set(known.missed) - set(missed))
    found = [Finding("failed", f"safety item missed: {key}") for key in fresh]
    told = "is not missed any more: take it out of the known ones"
    return found + [Finding("failed", f"safety item {key} {told}") for key in repaired]


def findings(report: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """Every limit that the report passes, and every one that it does not measure."""
    found = _safety(report, thresholds.safety)
    return found + [one for limit in thresholds.limits if (one := _finding(limit, at(report, limit.path)))]


def failed(report: Mapping[str, Any], thresholds: Thresholds) -> list[Finding]:
    """Only what failed."""
    return [one for one in findings(report, thresholds) if one.kind == "failed"]
