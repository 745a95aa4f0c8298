"""Endpoints as templates, calendars, and what a file may not say about public hosts."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from postdeploy.environment import load
from postdeploy.environment.endpoints import expand
from postdeploy.environment.web import TradingHours, Web, is_within
from postdeploy.environment.web_rules import contradictions


def test_sixty_apps_of_ten_brands_are_a_few_lines():
    uk = load("uk-prod")
    apps = uk.endpoints["login"].model_copy(
        update={"paths": ("/{locale}/{app}/",), "values": {"app": tuple(f"app{number}" for number in range(60))}}
    )
    expected = expand(uk.model_copy(update={"endpoints": {"apps": apps}}))
    languages = sum(len(each.languages) for each in uk.brands.values())
    assert len(expected) == 60 * languages
    assert len({(each.host, each.path) for each in expected}) == len(expected)
    cambria = [each for each in expected if each.host == "cambria-invest.example"]
    assert {each.locale for each in cambria} == {"cy-GB", "en-GB"}
    assert cambria[0].url == "https://cambria-invest.example/cy-GB/app0/"


def test_template_reaches_the_hosts_it_names():
    uk = load("uk-prod")
    hosts = {name: {each.host for each in uk.expected if each.template.name == name} for name in uk.endpoints}
    brands = {each.host for each in uk.brands.values()}
    assert hosts["health"] == brands | {uk.api.host}
    assert hosts["front"] == brands
    assert hosts["deep-health"] == {uk.api.host}
    assert hosts["revocation-list"] == {"crl.uk.northgate.example"}
    assert next(each.url for each in uk.expected if each.scheme == "http").startswith("http://crl")


def test_every_brand_is_warned_in_its_own_language():
    for name in ("uk-prod", "cy-prod", "hk-prod", "za-prod"):
        environment = load(name)
        for brand in environment.brands.values():
            for locale in brand.languages:
                assert environment.web.loss in environment.web.warning(locale)
    assert load("hk-prod").web.warning("zh-CN") != load("hk-prod").web.warning("zh-HK")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 25, 12, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 12, tzinfo=UTC), False),  # a Saturday
        (datetime(2026, 12, 25, 12, tzinfo=UTC), False),
        (datetime(2026, 12, 25, 15, 30, tzinfo=UTC), True),  # half past midnight of a Saturday in Tokyo
    ],
)
def test_market_is_open_in_its_own_zone(moment, is_open):
    days = ("mon", "tue", "wed", "thu", "fri") if moment.hour == 12 else ("sat",)
    market = TradingHours(zone="Asia/Tokyo", days=days, holidays=("2026-12-25",))
    assert market.is_open(moment) is is_open


@pytest.mark.parametrize(
    ("windows", "at", "within"),
    [
        (("02:30-03:30",), "02:30", True),
        (("02:30-03:30",), "03:30", False),
        (("22:00-06:30",), "23:10", True),
        (("22:00-06:30",), "06:29", True),
        (("22:00-06:30",), "12:00", False),
        ((), "12:00", False),
    ],
)
def test_window_that_ends_before_it_begins_goes_over_midnight(windows, at, within):
    assert is_within(windows, time.fromisoformat(at)) is within


def test_maintenance_is_in_local_time():
    web = Web(maintenance=("02:30-03:30",))
    moment = datetime(2026, 11, 25, 18, 45, tzinfo=UTC)
    assert web.is_maintained(moment, "Asia/Hong_Kong")
    assert not web.is_maintained(moment, "UTC")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"endpoints": {"a": {"paths": ["/{locale}/x"]}}}, "expected values for {locale} beside it, or 'on: brands'"),
        ({"endpoints": {"a": {"on": "brands", "paths": ["/{ap}"], "values": {"app": ["x"]}}}}, "did you mean 'app'?"),
        ({"web": {"addresses": {"ipv4": ["2001:db8::1"]}}}, "expected an IPv4 address or network"),
        ({"web": {"addresses": {"ipv6": ["300.1.1.1"]}}}, "expected an IPv6 address or network"),
        ({"web": {"risk_warning": {"en": "x"}}, "brands": {"b": {"locale": "cy-GB"}}}, "expected a text for 'cy-GB'"),
        ({"web": {"risk_warning": {"en": "{loss}"}}, "brands": {"b": {}}}, "needs 'loss' beside it"),
        ({"web": {"feed": {"instruments": {"A": "fx"}, "markets": {"fxx": {}}}}}, "did you mean 'fxx'?"),
        ({"web": {"feed": {"markets": {"fx": {"zone": "Mars/Olympus"}}}}}, "no such time zone"),
    ],
)
def test_what_cannot_be_meant_is_told_where_it_stands(data, said):
    assert said in " ".join(each.text for each in contradictions(data))


@pytest.mark.parametrize(
    "data", [{}, {"endpoints": 3, "web": []}, {"endpoints": {"a": 1}}, {"web": {"feed": {"markets": {"a": 3}}}}]
)
def test_values_of_a_wrong_type_are_left_to_the_models(data):
    assert list(contradictions(data)) == []
