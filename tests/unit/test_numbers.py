"""Phone numbers before they come near a dial string, and where their owners may be."""

import re
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.document.values import Timezone
from engine.numbers import (
    MAX_LENGTH,
    NumberAccepted,
    NumberRefused,
    check,
    is_zone,
    parse_e164,
    zones_as_stated,
    zones_of,
)

OWN = "+12025550100"
E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("+12025550113", "+12025550113"),
        (" +1 202-555-0113 ", "+12025550113"),
        ("+1 (202) 555.0113", "+12025550113"),
        ("2025550113", "+12025550113"),
        ("(202) 555-0113", "+12025550113"),
        ("12025550113", "+12025550113"),
        ("011 1 202 555 0113", "+12025550113"),
    ],
)
def test_a_number_in_international_or_the_services_national_form_is_accepted(written: str, e164: str) -> None:
    assert check(written, caller_id=OWN) == NumberAccepted(e164)


@pytest.mark.parametrize("area", ["202", "212", "312", "415", "512", "617", "713", "808", "907", "917"])
def test_the_lines_reserved_for_fiction_are_accepted(area: str) -> None:
    for line in range(100, 200):
        assert check(f"+1{area}5550{line}", caller_id=OWN) == NumberAccepted(f"+1{area}5550{line}")


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "+",
        "hello",
        "+1202555O113",
        "1-800-FLOWERS",
        "+12025550113;ext=5",
        "+12025550113 x5",
        "+12025550113 ext. 5",
        "+12025550113\n",
        "\t+12025550113",
        "+1202555\x000113",
        "+1202555\u200b0113",
        "+\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff11\uff13",
        "+1\u0662\u0660\u06625550113",
        "+12025550113&PJSIP/x",
        "+12025550113@evil",
        "sip:12025550113",
        "tel:+12025550113",
        "++12025550113",
        "+1+2025550113",
        "+1202555011",
        "+120255501133",
        "+10000000000",
        "+999123456789",
        "9" * 1000,
    ],
)
def test_what_is_no_number_is_refused(written: str) -> None:
    assert check(written, caller_id=OWN).code == "invalid-phone"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "countries"),
    [
        ("+19005551234", ["US"]),  # premium
        ("+449098790000", ["GB"]),  # premium
        ("+448712345678", ["GB"]),  # premium or shared cost
        ("+447012345678", ["GB"]),  # personal
        ("+447640123456", ["GB"]),  # pager
        ("+870773111632", []),  # satellite
        ("+979123456789", []),  # international premium
        ("911", ["US"]),
        ("988", ["US"]),
        ("411", ["US"]),
    ],
)
def test_numbers_that_cost_or_reach_the_wrong_people_are_not_allowed(written: str, countries: list[str]) -> None:
    refused = check(written, caller_id=None if not countries else OWN, countries=countries)
    assert isinstance(refused, NumberRefused)
    assert refused.code == "phone-not-allowed"


def test_listed_countries_may_be_called_and_no_others() -> None:
    assert isinstance(check("+442079460000", caller_id=OWN, countries=["US", "GB"]), NumberAccepted)
    refused = check("+14165550113", caller_id=OWN, countries=["US", "GB"])
    assert isinstance(refused, NumberRefused)
    assert refused == NumberRefused("phone-not-allowed", "numbers of CA are not called back")


def test_without_a_list_the_country_code_of_the_caller_id_may_be_called() -> None:
    assert isinstance(check("+14165550113", caller_id=OWN), NumberAccepted)
    assert isinstance(check("+442079460000", caller_id=OWN), NumberRefused)


def test_without_both_every_ordinary_number_may_be_called_but_needs_its_country_code() -> None:
    assert isinstance(check("+442079460000", caller_id=None), NumberAccepted)
    refused = check("020 7946 0000", caller_id=None)
    assert isinstance(refused, NumberRefused)
    assert refused.code == "invalid-phone"


def test_leading_zeros_of_a_country_are_kept() -> None:
    assert check("+390612345678", caller_id=None) == NumberAccepted("+390612345678")


@pytest.mark.parametrize(
    "text", ["+1 2025550113", "12025550113", "+1202555011", "+12025550113\n", "+\uff102025550113", ""]
)
def test_strict_e164_takes_nothing_else(text: str) -> None:
    assert parse_e164(text) is None


_NEAR_NUMBERS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="+0123456789 ().-/;extx&@,\u0660\uff11\n\x00", max_size=40),
    st.from_regex(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
)


@given(
    written=_NEAR_NUMBERS,
    caller_id=st.sampled_from([None, OWN, "+442079460000", "+390612345678"]),
    countries=st.sampled_from([(), ("US",), ("GB", "IT")]),
)
def test_whatever_is_written_only_ascii_digits_come_out(
    written: str, caller_id: str | None, countries: tuple[str, ...]
) -> None:
    result = check(written, caller_id=caller_id, countries=countries)
    if isinstance(result, NumberRefused):
        assert result.detail
        return
    assert E164.fullmatch(result.e164)
    assert len(written.strip(" ")) <= MAX_LENGTH
    number = phonenumbers.parse(result.e164, None)
    assert phonenumbers.is_valid_number(number)
    if countries:
        assert phonenumbers.region_code_for_number(number) in countries
    # What came out is taken again and stays the same.
    assert check(result.e164, caller_id=caller_id, countries=countries) == result


# ---- time zones ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e164", "zones"),
    [
        ("+12025550113", ("America/New_York",)),
        ("+13125550113", ("America/Chicago",)),
        ("+18085550113", ("Pacific/Honolulu",)),
        ("+4930123456", ("Europe/Berlin",)),
        ("+390612345678", ("Europe/Rome",)),
        # the places of a prefix that lies in two zones
        ("+16055550113", ("America/Denver", "America/North_Dakota/Center")),
        # satellite, and no number
        ("+870773111632", ()),
        ("+12", ()),
        ("12025550113", ()),
    ],
)
def test_given_a_number_then_its_zones_are(e164: str, zones: tuple[str, ...]) -> None:
    assert zones_of(e164) == zones


def test_given_a_mobile_number_of_a_large_country_then_its_owner_may_be_anywhere_in_it() -> None:
    zones = zones_of("+61412345678")

    assert zones[0] == "Australia/Sydney"
    assert {"Australia/Perth", "Australia/Adelaide", "Indian/Cocos"} < set(zones)
    assert len(set(zones)) == len(zones)


def test_given_a_zone_that_anybody_may_have_stated_then_it_stands_alone_only_if_the_number_may_belong_there() -> None:
    assert zones_as_stated("+61412345678", "Australia/Perth") == ("Australia/Perth",)
    assert zones_as_stated("+870773111632", "UTC") == ("UTC",)
    assert zones_as_stated("+12025550113", "Europe/Paris") == ("America/New_York", "Europe/Paris")


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_given_any_number_then_each_of_its_zones_can_be_looked_up(e164: str) -> None:
    zones = zones_of(e164)

    assert [ZoneInfo(zone).key for zone in zones] == list(zones)
    assert "Etc/Unknown" not in zones


def test_a_zone_is_looked_up_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_zone("America/New_York")
    monkeypatch.setattr("engine.numbers.available_timezones", lambda: pytest.fail("the disk is read again"))
    assert not is_zone("Mars/Olympus_Mons")
    assert TypeAdapter(Timezone).validate_python("Europe/Paris") == "Europe/Paris"
