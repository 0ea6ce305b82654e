"""PlainCite: plain-language answers about a review and the works it cites, every sentence tied to a passage."""

__version__ = "0.1.0"
