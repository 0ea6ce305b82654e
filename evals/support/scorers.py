"""Ways to score how far a passage supports a claim: the gate, the judge, and what they are compared with."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol

import numpy as np

from evals.support.overlap import overlap
from server.verify.layout import lay_out
from server.verify.model import Verifier

GATE = "gate"
PROMPT = "<|im_start|>user\nRead the passage and say whether it supports the claim.\nPassage: "
QUESTION = "\nIs the claim supported by the passage? Answer yes or no.<|im_end|>\n<|im_start|>assistant\n"


class Scorer(Protocol):
    """More is more support; `limit` is the score from which a claim counts as supported, None where nothing says."""

    name: str
    limit: float | None

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """One score for each claim held against the passage."""


class Gate:
    """The verifier that ships with the server, or one like it."""

    name = GATE

    def __init__(self, model: Verifier) -> None:
        self._verifier = model
        self.limit: float | None = model.threshold

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Calibrated probabilities."""
        return [found.score for found in self._verifier.support([(passage, claims)])[0]]


class Words:
    """Share of the claim's content words that stand in the passage; half of them are enough."""

    name = "words in common"
    limit: float | None = 0.5

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Shares."""
        return [overlap(claim, passage) for claim in claims]


class Cosine:
    """Likeness of the vectors of passage and claim by the MiniLM that the product embeds with."""

    name = "MiniLM cosine"
    limit: float | None = None

    def __init__(self) -> None:
        from server.embedding import Embedder

        self._embedder = Embedder()

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Cosines, -1 to 1."""
        vectors = np.asarray(self._embedder.embed_documents([passage, *claims]))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return [float(value) for value in vectors[1:] @ vectors[0]]


class Prompted:
    """SmolLM2-135M as it is, asked for yes or no: the difference of the two words' logits."""

    name = "SmolLM2 prompted"
    limit: float | None = 0.0
    most = 900  # tokens of a passage

    def __init__(self) -> None:
        import torch

        from evals.training.support_net import coder, whole

        self._torch, self._coder = torch, coder()
        self._model = deepcopy(whole()).to(torch.bfloat16).eval()
        self._yes, self._no = (self._ids(word)[0] for word in ("Yes", "No"))

    def _ids(self, text: str) -> list[int]:
        return list(self._coder(text)["input_ids"])

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Differences of logits; over 0 is a yes."""
        from evals.training.support_rows import Batch
        from server.verify.network import mask

        row = lay_out(
            [self._ids(PROMPT + passage)[: self.most]], [self._ids(f"\nClaim: {claim}{QUESTION}") for claim in claims]
        )
        batch = Batch.of([row], "cpu")
        with self._torch.inference_mode():
            found = self._model.model(
                input_ids=batch.ids,
                position_ids=batch.positions,
                attention_mask=mask(batch.segments, self._torch.bfloat16),
                use_cache=False,
            ).last_hidden_state[0, batch.ends]
            logits = self._model.lm_head(found).float()
        return [float(value) for value in logits[:, self._yes] - logits[:, self._no]]


class Rules:
    """The rule tier of the package `ragground`: verbatim text, n-grams, numbers and names; needs no model."""

    name = "ragground rules"
    limit: float | None = 1.0

    def __init__(self) -> None:
        from ragground.matchers.deterministic import DeterministicMatcher

        self._matcher: Any = DeterministicMatcher()

    def score(self, passage: str, claims: Sequence[str]) -> list[float]:
        """Over 1 where verified, 0 to 1 where uncertain, under 0 where called unsupported."""
        found = []
        for claim in claims:
            match = self._matcher.match(passage, claim)
            sign = {"verified": 1.0, "unsupported": -1.0}.get(str(match.status.value).lower(), 0.0)
            found.append(sign + (-match.confidence if sign < 0 else match.confidence))
        return found
