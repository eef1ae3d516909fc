"""Benches: what the engine is measured by, each with a rival beside it in one run. `make bench` runs them."""
