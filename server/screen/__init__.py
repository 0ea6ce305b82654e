"""The safety screen: what a message says about danger, before anything else reads it."""
