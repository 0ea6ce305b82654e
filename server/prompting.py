"""The prompts folder: its hash stands in every answer. No prompt is used until a chat model is."""

import hashlib
from functools import cache
from pathlib import Path

from server.paths import PROMPTS


@cache
def prompts_hash(folder: Path = PROMPTS) -> str:
    """sha256 over names and contents of every prompt template (`*.md.jinja`), in order of name."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.md.jinja")):
        digest.update(f"{path.relative_to(folder)}\n{path.read_text(encoding='utf-8')}\n".encode())
    return digest.hexdigest()
