"""Training of the models that PlainCite ships: from data to weights, reproducible from a command."""
