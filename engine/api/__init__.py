"""The HTTP side: one module for each resource, one shape for errors, OpenAPI from the code.

It checks, asks the engine and answers; it decides nothing about callbacks and writes nothing itself.
"""

from engine.api.application import build_app

__all__ = ["build_app"]
