"""Turn → page, fragment, JSON, plain text: one view of a finished turn, in several clothes."""

from server.render.api import to_api
from server.render.text import to_text
from server.render.view import View, to_view

__all__ = ["View", "to_api", "to_text", "to_view"]
