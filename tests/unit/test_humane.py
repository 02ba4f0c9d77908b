"""How dates look on a page."""

import datetime as dt
import zoneinfo

import pytest

from cvms_pipeline.portal.site.templatetags import humane

ZONE = zoneinfo.ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ((1, 1, 0, 0), "Jan 1, 2026, 12:00 AM"),
        ((3, 9, 11, 59), "Mar 9, 2026, 11:59 AM"),
        ((5, 31, 12, 0), "May 31, 2026, 12:00 PM"),
        ((9, 10, 13, 5), "Sep 10, 2026, 1:05 PM"),
        ((12, 31, 23, 59), "Dec 31, 2026, 11:59 PM"),
    ],
)
def test_a_moment_has_its_half_of_the_day_and_the_day_no_zero(facts, text):
    moment = dt.datetime(2026, *facts, tzinfo=ZONE)

    assert humane.moment(moment) == text
    assert humane.day(moment) == text.rsplit(",", 1)[0]


def test_a_date_of_birth_is_written_with_two_digits_each():
    assert humane.birth_date(dt.date(1985, 3, 4)) == "03/04/1985"


def test_what_is_not_known_is_empty():
    assert (humane.moment(None), humane.day(None), humane.birth_date(None)) == ("",) * 3


def test_a_moment_is_shown_in_the_time_zone_of_the_pages():
    assert humane.moment.expects_localtime
    assert humane.day.expects_localtime
