"""What every test shares: the real corpus and engine, built once a session, and a guard against the network."""

import ast
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Before anything of ours is imported: no model hub, and no setting of the person who runs the tests.
os.environ["HF_HUB_OFFLINE"] = "1"
TEST_DATA_DIR = os.environ.pop("TEST_DATA_DIR", "")
_NOT_SETTINGS = {"CHROMIUM_PATH"}
for _name in [name for name in os.environ if name.startswith("PLAINCITE_") and name not in _NOT_SETTINGS]:
    del os.environ[_name]

from server.corpus import Corpus, load_corpora  # noqa: E402
from server.embedding import Embedder  # noqa: E402
from server.engine import Engine, load_engine  # noqa: E402
from server.index import Index  # noqa: E402
from server.paths import CORPUS  # noqa: E402
from server.settings import Settings  # noqa: E402
from server.turn import Message, Question, Turn  # noqa: E402
from server.wording import Wording, load_wording  # noqa: E402

TOPIC = "ketamine-ptsd"
# The same examples at every run, none kept on disk, and no time limit on the first call of a lazy loader.
hypothesis.settings.register_profile("plaincite", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("plaincite")


class NetworkRefused(AssertionError):
    """A test tried to reach a host that is not this machine."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and not is_loopback(str(name)):
        raise NetworkRefused(f"tests must not reach {name!r}; only loopback is allowed")


@pytest.fixture(scope="session")
def _guarded_sockets() -> Iterator[dict[str, bool]]:
    """Sockets that reach nothing but loopback, for as long as `on` is true."""
    state = {"on": True}
    real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def guarded(name: str) -> Any:
        def call(self: socket.socket, *arguments: Any) -> Any:
            if state["on"] and self.family in {socket.AF_INET, socket.AF_INET6}:
                _refuse(arguments[-1][0])
            return real[name](self, *arguments)

        return call

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        if state["on"]:
            _refuse(host)
        return look_up(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(socket.socket, name, guarded(name))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield state


@pytest.fixture(autouse=True)
def only_loopback(request: pytest.FixtureRequest, _guarded_sockets: dict[str, bool]) -> Iterator[None]:
    """Refuses sockets to anything but loopback, except in tests marked `network` (never run by default)."""
    _guarded_sockets["on"] = request.node.get_closest_marker("network") is None
    yield
    _guarded_sockets["on"] = True


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The real corpus."""
    return load_corpora(CORPUS)[TOPIC]


@pytest.fixture(scope="session")
def wording() -> Wording:
    """The real fixed words."""
    return load_wording()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real embedding model, loaded at its first use."""
    return Embedder()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's index lies: TEST_DATA_DIR (kept between runs), or a folder of this session."""
    return Path(TEST_DATA_DIR) if TEST_DATA_DIR else tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def engine(data_dir: Path, embedder: Embedder, _guarded_sockets: dict[str, bool]) -> Iterator[Engine]:
    """Everything that answers, built once a session, with the session's one embedding model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.engine.Embedder", lambda: embedder)
        loaded = load_engine(Settings.model_validate({"data_dir": data_dir}))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def index(engine: Engine, data_dir: Path, embedder: Embedder) -> Index:
    """The engine's finished index."""
    return Index(data_dir, embedder)


def ask(engine: Engine, *user_messages: str, country: str | None = "US") -> Turn:
    """The finished turn of a dialogue of user messages, the last of which is the question."""
    messages = tuple(Message("user", text) for text in user_messages)
    return engine.ask(Question(messages, country, topic=TOPIC))


def imported(path: Path) -> set[str]:
    """The dotted names that a module imports, wherever the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides whom it imports"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found
