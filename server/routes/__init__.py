"""What is served: pages, the API, and health."""
