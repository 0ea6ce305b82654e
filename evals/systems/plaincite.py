"""PlainCite as it stands: the finished turn as a reply."""

import time

from evals.cases import Case
from evals.systems.production import Production
from evals.systems.reply import Reply, Said
from server.turn import ANSWERED, UNCITED_ROLES, Turn

NAME = "plaincite"


def reply_of(turn: Turn, ms: float) -> Reply:
    """What a reader sees of a turn: sentences that state a finding, each held against what it cites."""
    said = tuple(Said(s.text, s.citations, s.citations) for s in turn.sentences if s.role not in UNCITED_ROLES)
    return Reply(turn.outcome not in ANSWERED, said, " ".join(s.text for s in turn.sentences), ms)


class PlainCite:
    """The production path."""

    name = NAME

    def __init__(self, production: Production) -> None:
        self._production = production

    def turn(self, case: Case, reordered: bool = False) -> tuple[Turn, float]:
        """The finished turn and the milliseconds it took."""
        started = time.perf_counter()
        turn = self._production.turn(case, reordered)
        return turn, (time.perf_counter() - started) * 1000

    def answer(self, case: Case, repeat: int = 0) -> Reply:
        """Its reply; the same at every repeat unless something in it is not deterministic."""
        return reply_of(*self.turn(case))
