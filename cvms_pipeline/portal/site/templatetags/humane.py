"""How values look on a page.

Dates of pages that are in English alone; Django's own filter `date`, which looks up the
words of the reader's language for each value, takes a tenth of the time of a long list.
"""

import datetime as dt

from django import template

register = template.Library()


@register.filter
def count(number: int) -> str:
    """Return a number with commas between thousands."""
    return f"{number:,}"


@register.filter
def birth_date(value: dt.date | None) -> str:
    """Return a date of birth as providers write it: 03/04/1985."""
    return f"{value:%m/%d/%Y}" if value else ""


@register.filter(expects_localtime=True)
def day(value: dt.date | None) -> str:
    """Return a day in the time zone of the pages: Mar 4, 2026."""
    return f"{value:%b} {value.day}, {value.year}" if value else ""


@register.filter(expects_localtime=True)
def moment(value: dt.datetime | None) -> str:
    """Return a moment in the time zone of the pages: Mar 4, 2026, 1:05 PM."""
    if not value:
        return ""
    half = "AM" if value.hour < 12 else "PM"
    return f"{day(value)}, {value.hour % 12 or 12}:{value:%M} {half}"
