"""How well can it be told whether a passage supports a claim? Our models and simpler ways, on the same sets."""
