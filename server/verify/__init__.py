"""Checks every sentence of a draft: citations, figures, labels, wording, support. Only `stage` sets an answer outcome."""
