"""In-memory imitations of the engine's ports, one per port. Contract tests hold them to what the adapters do."""
