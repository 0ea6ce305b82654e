"""Is it good? Development questions scored over the production code, and speed measured over the real server."""
