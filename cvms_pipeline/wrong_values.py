"""What is said of a value that cannot be taken: pydantic's findings in words of ours.

Pure text, for settings and for the options of commands alike.  It repeats no value,
which may hold a password, but what a rule of ours says of it.
"""

from collections.abc import Mapping
from typing import Any

_MOMENT = (
    "must be a date such as 2025-03-15, or a date and time such as 2025-03-15T09:30:00"
)
_TOO_SHORT = "must have at least {min_length} characters"
_WHOLE = "must be a whole number"
_WORDS: Mapping[str, str] = {
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": _TOO_SHORT,
    "too_short": _TOO_SHORT,
    "ip_v4_address": "must be four numbers with dots between them",
    "zoneinfo_str": "must be the name of a time zone",
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "value_error": "{error}",
}


def said(problem: Mapping[str, Any]) -> str:
    """Return what is wrong, to be read after the name of a setting or an option.

    Args:
        problem: One of the errors of a pydantic `ValidationError`.
    """
    words = _WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"])
    return words.format_map(problem.get("ctx", {}))
