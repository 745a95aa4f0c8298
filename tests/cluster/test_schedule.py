"""Schedules are read as the controller reads them: in their own zone, over changes of clocks, in any notation."""

from __future__ import annotations

from datetime import datetime

import pytest

from postdeploy.cluster.schedule import Unreadable, due, same


def times(schedule, before, count=2, zone=""):
    return [f"{each:%m-%d %H:%M}" for each in due(schedule, zone, datetime.fromisoformat(before), count)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/15 * * * *", ["11-20 10:00", "11-20 09:45"]),
        ("10 * * * *", ["11-20 09:10", "11-20 08:10"]),
        ("30 5 * * *", ["11-20 05:30", "11-19 05:30"]),
        ("0 22 * * 1-5", ["11-19 22:00", "11-18 22:00"]),
        ("0 22 * * MON-FRI", ["11-19 22:00", "11-18 22:00"]),
        ("0 3 * * 0", ["11-15 03:00", "11-08 03:00"]),
        ("@daily", ["11-20 00:00", "11-19 00:00"]),
        ("@hourly", ["11-20 10:00", "11-20 09:00"]),
        ("0 0 1 ? *", ["11-01 00:00", "10-01 00:00"]),
        ("0 0 13 * 5", ["11-20 00:00", "11-13 00:00"]),
        ("0 0 */2 * 5", ["11-20 00:00", "11-19 00:00"]),
    ],
)
def test_last_slots_latest_first(schedule, expected):
    assert times(schedule, "2026-11-20T10:00:00+00:00") == expected


def test_slot_belongs_to_its_zone():
    assert times("30 5 * * *", "2026-11-20T10:00:00+00:00", zone="Asia/Hong_Kong") == ["11-19 21:30", "11-18 21:30"]


def test_time_that_the_clocks_skip_is_not_due_that_day():
    assert times("30 1 * * *", "2026-03-30T12:00:00+00:00", 3, "Europe/London") == [
        "03-30 00:30",
        "03-28 01:30",
        "03-27 01:30",
    ]


def test_time_that_comes_twice_is_due_twice():
    assert times("30 1 * * *", "2026-10-25T12:00:00+00:00", 3, "Europe/London") == [
        "10-25 01:30",
        "10-25 00:30",
        "10-24 00:30",
    ]


def test_quarters_go_on_through_a_change_of_clocks():
    assert times("*/15 * * * *", "2026-10-25T01:15:00+00:00", 6, "Europe/London")[:6] == [
        "10-25 01:15",
        "10-25 01:00",
        "10-25 00:45",
        "10-25 00:30",
        "10-25 00:15",
        "10-25 00:00",
    ]


def test_rare_schedule_has_fewer_slots_than_asked_for():
    assert [each.year for each in due("0 0 29 2 *", "", datetime.fromisoformat("2026-11-20T00:00:00+00:00"))] == [2024]


@pytest.mark.parametrize("schedule", ["@every 1h", "61 * * * *", "* * * *", "TZ=UTC 0 0 * * *", "", "0 0 31 2 *"])
def test_what_cannot_be_read_is_said(schedule):
    with pytest.raises(Unreadable, match=r"spec\.schedule"):
        times(schedule, "2026-11-20T10:00:00+00:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "x" * 300])
def test_unknown_zone_is_said(zone):
    with pytest.raises(Unreadable, match="time zone"):
        times("@daily", "2026-11-20T10:00:00+00:00", zone=zone)


def test_one_schedule_may_be_written_in_two_ways():
    assert same("0 6 * * 1-5", "0 6 * * MON-FRI")
    assert same("*/15 * * * *", "0,15,30,45 * * * *")
    assert same("0 3 * * 7", "0 3 * * sun")
    assert same("@weekly", "0 0 * * 0")
    assert not same("0 6 * * *", "0 7 * * *")
