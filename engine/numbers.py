"""Phone numbers before they come near a dial string.

A number is taken in E.164 or in the national form of the service's region, and leaves as E.164 or not at all. Only
ASCII digits behind one plus ever come out. Numbers that cost the company or reach the wrong people are refused:
premium and shared cost, personal, pager, UAN, voicemail access, satellite and other numbers of no country, short
numbers and emergency numbers. Which countries may be called is the administrator's choice. A number also tells where
its owner may be, for the times at which they may be called.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, shortnumberinfo

MAX_LENGTH = 32
_WRITTEN = re.compile(r"\+?[0-9(][0-9 ().\-/]*", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_NO_COUNTRY = "001"
_REFUSED_KINDS = {
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company-wide access",
    PhoneNumberType.VOICEMAIL: "voicemail access",
}


@dataclass(frozen=True, slots=True)
class NumberAccepted:
    """`e164` is a plus and 7 to 15 ASCII digits."""

    e164: str


@dataclass(frozen=True, slots=True)
class NumberRefused:
    """Why a number is not called; `detail` never repeats the number."""

    code: Literal["invalid-phone", "phone-not-allowed"]
    detail: str


def check(number: str, *, caller_id: str | None, countries: Collection[str] = ()) -> NumberAccepted | NumberRefused:
    """Judge a number as a customer wrote it.

    `caller_id` is the service's own number in E.164: it gives the region for numbers without a plus and, if
    `countries` (ISO 3166 regions such as US) is empty, the country calling code that may be called. Without both, every
    country may be.
    """
    own = parse_e164(caller_id) if caller_id else None
    region = _region(own) if own else None
    written = number.strip(" ")
    if len(written) > MAX_LENGTH or not _WRITTEN.fullmatch(written):
        return NumberRefused(
            "invalid-phone", "write the number with digits only, with + and the country code: +12025550113"
        )
    if region is not None and not written.startswith("+") and _is_short(written, region):
        return NumberRefused("phone-not-allowed", "short and emergency numbers are not called back")
    try:
        parsed = phonenumbers.parse(written, region)
    except NumberParseException:
        return NumberRefused("invalid-phone", "this is no phone number; write + and the country code: +12025550113")
    if parsed.extension is not None or not phonenumbers.is_valid_number(parsed):
        return NumberRefused("invalid-phone", "no such number can exist; check the digits and the country code")
    if refusal := _not_allowed(parsed, own, countries):
        return refusal
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    # The last gate before a dial string does not rely on the library's formatting.
    if not _E164.fullmatch(e164):
        return NumberRefused("invalid-phone", "this number cannot be written in E.164")
    return NumberAccepted(e164)


def parse_e164(text: str) -> PhoneNumber | None:
    """A valid number in strict E.164 form, or None."""
    if not _E164.fullmatch(text):
        return None
    try:
        parsed = phonenumbers.parse(text, None)
    except NumberParseException:
        return None
    same = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == text
    return parsed if same and phonenumbers.is_valid_number(parsed) else None


def is_region(code: str) -> bool:
    """Whether `code` is an ISO region that numbers can belong to, such as US."""
    return code in phonenumbers.SUPPORTED_REGIONS


def zones_as_stated(e164: str, stated: str) -> tuple[str, ...]:
    """The zones that count for a number whose owner is said to be in `stated` by somebody who may not be its owner.

    Alone if the number may belong there, or to nobody knows where; else behind the number's own: a web form cannot
    have a stranger rung in their night.
    """
    own = zones_of(e164)
    return (stated,) if stated in own or not own else (*own, stated)


def zones_of(e164: str) -> tuple[str, ...]:
    """The time zones of the tz database that a customer may be in, the likeliest first; empty if nothing is known.

    A fixed line names its place, a mobile or toll-free number of a large country may be anywhere in it, and then all
    zones of the country come behind those of the number's prefix. Source: the time zone data of libphonenumber.
    """
    number = parse_e164(e164)
    if number is None:
        return ()
    # Imported here because its table is large and only a request needs it.
    from phonenumbers import timezone

    possible = timezone.time_zones_for_number(number)
    likeliest = [zone for zone in timezone.time_zones_for_geographical_number(number) if zone in possible]
    return tuple(zone for zone in dict.fromkeys([*likeliest, *possible]) if is_zone(zone))


def is_zone(name: str) -> bool:
    """Whether `name` is a zone of the tz database, such as America/New_York."""
    return name in _known_zones()


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _region(number: PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_number(number)
    return region if region and region != _NO_COUNTRY else None


def _is_short(written: str, region: str) -> bool:
    digits = re.sub(r"[^0-9]", "", written)
    if shortnumberinfo.is_emergency_number(digits, region):
        return True
    try:
        return shortnumberinfo.is_valid_short_number_for_region(phonenumbers.parse(digits, region), region)
    except NumberParseException:
        return False


def _not_allowed(number: PhoneNumber, own: PhoneNumber | None, countries: Collection[str]) -> NumberRefused | None:
    kind = _REFUSED_KINDS.get(phonenumbers.number_type(number))
    if kind is not None:
        return NumberRefused("phone-not-allowed", f"{kind} numbers are not called back; give an ordinary number")
    region = _region(number)
    if region is None:
        return NumberRefused("phone-not-allowed", "satellite and international service numbers are not called back")
    allowed = region in countries if countries else own is None or number.country_code == own.country_code
    if not allowed:
        return NumberRefused("phone-not-allowed", f"numbers of {region} are not called back")
    return None
