"""The public holidays of a country or of one of its regions, by name.

They are worked out for a fixed range of years and in fixed languages, so that a document means the same whenever and
wherever it is read. The package that knows them is loaded with the first country that a calendar names, not before.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

YEARS = range(2020, 2061)
_ENGLISH = "en_US"
# What is added to a name: "(observed)", "(estimated)", "(substituted from 01/19/2020)".
_ADDITION = re.compile(r"\s*[(\uff08][^()\uff08\uff09]*[)\uff09]$")


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Holidays of `YEARS` in the country's own language and in English; a date may have several names."""

    by_language: tuple[Mapping[date, frozenset[str]], ...]

    def names(self) -> frozenset[str]:
        """Every name that `without` understands: as it is, and without what is added in parentheses."""
        written = frozenset(name for dates in self.by_language for names in dates.values() for name in names)
        return written | {_plain(name) for name in written}

    def without(self, exceptions: Collection[str]) -> frozenset[date]:
        """The dates on which a holiday is left once those named are none any more."""
        return frozenset.intersection(
            *(
                frozenset(day for day, names in dates.items() if any(_left(name, exceptions) for name in names))
                for dates in self.by_language
            )
        )


@lru_cache(maxsize=512)
def regions_of(country: str) -> frozenset[str] | None:
    """The regions of a country (ISO 3166) whose holidays differ, by code and by name; None: nothing is known of it."""
    import holidays

    try:
        known = holidays.country_holidays(country)
    except NotImplementedError:
        return None
    return frozenset(known.subdivisions) | frozenset(known.subdivisions_aliases)


@lru_cache(maxsize=512)
def public_holidays(country: str, region: str | None) -> PublicHolidays:
    """The holidays of a country that `regions_of` knows, in one of its regions or (None) in all of them."""
    import holidays

    own = holidays.country_holidays(country)
    # Left open, the language would be that of the machine.
    languages = [each for each in dict.fromkeys((own.default_language, _ENGLISH)) if each in own.supported_languages]
    with warnings.catch_warnings():
        # Of some countries the moon's holidays are not known to the end of the range; those that are, count.
        warnings.simplefilter("ignore")
        by_language = tuple(
            holidays.country_holidays(country, subdiv=region, years=YEARS, language=language)
            for language in languages or (None,)
        )
    return PublicHolidays(tuple({day: frozenset(dates.get_list(day)) for day in dates} for dates in by_language))


def _left(name: str, exceptions: Collection[str]) -> bool:
    return name not in exceptions and _plain(name) not in exceptions


def _plain(name: str) -> str:
    return _ADDITION.sub("", name)
