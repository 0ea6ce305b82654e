"""A bar: a value, what it must reach, and whether it does. What was not measured is neither passed nor missed."""

from dataclasses import dataclass
from typing import Any, Literal

Sense = Literal["<", "<=", ">="]
State = Literal["pass", "missed", "not measured"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `value` is None where nothing was measured."""

    name: str
    value: float | None
    sense: Sense
    limit: float
    unit: str = ""

    @property
    def digits(self) -> int:
        """Decimals worth showing: none for a count."""
        return 0 if isinstance(self.value, int) else 2

    @property
    def state(self) -> State:
        """Pass, missed or not measured."""
        if self.value is None:
            return "not measured"
        held = {
            "<": self.value < self.limit,
            "<=": self.value <= self.limit,
            ">=": self.value >= self.limit,
        }[self.sense]
        return "pass" if held else "missed"

    def to_json(self) -> dict[str, Any]:
        """As it stands in report.json."""
        return {
            "name": self.name,
            "value": self.value,
            "bar": f"{self.sense} {self.limit:g}{' ' + self.unit if self.unit else ''}",
            "state": self.state,
        }


def missed(bars: list[Bar]) -> list[Bar]:
    """The bars that were measured and not reached."""
    return [bar for bar in bars if bar.state == "missed"]
