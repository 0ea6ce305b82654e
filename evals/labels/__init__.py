"""Labels given by readers who saw guideline, sentence and passages only; README.md says who they were."""

from evals.labels.agreement import Agreement, agreement
from evals.labels.read import GOLD, LABELS, Drawn, Label, Labelled, LabelsError, read_labels

__all__ = ["GOLD", "LABELS", "Agreement", "Drawn", "Label", "Labelled", "LabelsError", "agreement", "read_labels"]
