"""Where the content rooms are: beside the package in a checkout, packed inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PACKED = _PACKAGE / "_packed"
ROOT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent

CORPUS = ROOT / "corpus"
PROMPTS = ROOT / "prompts"
WEB = ROOT / "web"
