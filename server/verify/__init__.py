"""Checks every sentence: citations, figures, labels, wording, support. Only `stage` sets an answer outcome."""
