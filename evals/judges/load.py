"""A judge by name: `offline`, `local`, `chat:PROVIDER:MODEL[@URL]`, `path:FOLDER` or `trained:FOLDER`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.judges.base import Judge, JudgeError


@contextmanager
def load_judge(name: str) -> Iterator[Judge]:
    """The judge, until the block ends. Raises JudgeError."""
    kind, _, rest = name.partition(":")
    if kind == "offline" and not rest:
        from evals.judges.offline import OfflineJudge

        yield OfflineJudge()
    elif kind == "trained" and rest:
        from evals.judges.trained import TrainedJudge

        yield TrainedJudge(Path(rest))
    elif kind == "path" and rest:
        from evals.judges.classifier import ClassifierJudge

        yield ClassifierJudge(Path(rest))
    elif kind == "chat" and rest:
        from evals.judges.chat import chat_judge

        model, _, address = rest.partition("@")
        yield chat_judge(model, address or None)
    elif kind == "local" and not rest:
        from evals.judges.chat import local_judge

        with local_judge() as judge:
            yield judge
    else:
        raise JudgeError(
            f"{name!r} is no judge: offline, local, chat:PROVIDER:MODEL[@URL], path:FOLDER or trained:FOLDER"
        )
