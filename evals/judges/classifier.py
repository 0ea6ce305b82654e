"""Any local classifier as a judge: a folder that sentence-transformers can load as a cross-encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.judges.base import JudgeError, Opinion

THRESHOLD = 0.5
_YES = ("entail", "support")


class ClassifierJudge:
    """Reads (passages, sentence). One output is a probability; of several, the one named entailment or supported."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise JudgeError(f"judge {folder}: no such folder")
        from sentence_transformers import CrossEncoder

        try:
            self._model: Any = CrossEncoder(str(folder), local_files_only=True, device="cpu")
        except Exception as error:
            raise JudgeError(f"judge {folder.name}: not a cross-encoder: {str(error).splitlines()[0][:120]}") from None
        self._yes = self._supported_output(folder)
        self.name = f"classifier {folder.name}"

    def _supported_output(self, folder: Path) -> int | None:
        labels = {int(place): str(label).lower() for place, label in self._model.config.id2label.items()}
        if len(labels) == 1:
            return None
        found = [n for n, label in labels.items() if label.startswith(_YES)]
        if len(found) != 1:
            raise JudgeError(f"judge {folder.name}: none of its outputs is named entailment or supported: {labels}")
        return found[0]

    def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
        """Supported where the probability is at least a half; unjudged where the model fails."""
        import torch

        last = torch.nn.Sigmoid() if self._yes is None else torch.nn.Softmax(dim=-1)
        try:
            found = self._model.predict(
                [("\n".join(passages), sentence)], activation_fn=last, show_progress_bar=False, convert_to_numpy=True
            )
            score = float(found[0] if self._yes is None else found[0][self._yes])
        except Exception as error:
            return Opinion(None, f"the classifier failed: {type(error).__name__}")
        if score != score:  # not a number
            return Opinion(None, "the classifier gave no number")
        return Opinion(score >= THRESHOLD, f"probability {score:.2f}")
