"""Writes the draft: reviewed claims in order, or a fixed ending. Nothing here is generated."""
