"""The generated pages of the documentation say what the code says."""

import pytest

from docs.generate import DOCS, PAGES
from engine.api.codes import MEANINGS, Code


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run: make docs"


def test_every_code_has_a_meaning_that_says_how_to_mend() -> None:
    assert set(MEANINGS) == set(Code)
    assert all(400 <= each.status < 600 and each.title and each.mend.endswith(".") for each in MEANINGS.values())
