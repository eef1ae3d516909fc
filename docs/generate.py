"""Writes the pages of `docs/` that are made from the code. `make docs` runs it; a test keeps them up to date.

python -m docs.generate            write every page
python -m docs.generate --check    write nothing; name the pages that are out of date, exit code 1 if there are any
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.configuration_page import configuration_page
from docs.errors_page import errors_page
from docs.lifecycle_page import lifecycle_page
from docs.outcomes_page import outcomes_page

DOCS = Path(__file__).resolve().parent
PAGES: Mapping[str, Callable[[], str]] = {
    "reference/configuration.md": configuration_page,
    "reference/errors.md": errors_page,
    "reference/outcomes.md": outcomes_page,
    "lifecycle.md": lifecycle_page,
}


def out_of_date() -> list[str]:
    """The pages whose text is not what the code says."""
    return [name for name, page in PAGES.items() if (DOCS / name).read_text("utf-8") != page()]


def main(arguments: list[str]) -> str | None:
    """Write every page, or with --check say which ones should be written."""
    if arguments == ["--check"]:
        stale = ", ".join(out_of_date())
        return f"out of date: {stale}; run `make docs`" if stale else None
    if arguments:
        return f"only --check is known, not {' '.join(arguments)}"
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
