"""Systems under evaluation: PlainCite as it stands, and the baselines that make its rate mean something."""
