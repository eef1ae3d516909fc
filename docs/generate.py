"""Writes the pages of `docs/` that are made from the code. `make docs` runs it; a test keeps them up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.configuration_page import configuration_page
from docs.errors_page import errors_page

DOCS = Path(__file__).resolve().parent
PAGES: Mapping[str, Callable[[], str]] = {
    "reference/configuration.md": configuration_page,
    "reference/errors.md": errors_page,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
