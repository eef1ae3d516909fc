"""What becomes of requests and conversations while the engine's disk fails."""
