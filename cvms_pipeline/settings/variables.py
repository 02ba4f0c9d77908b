"""Settings as environment variables: how a field names its own, and error texts.

Only the form that all settings share.  The settings are in `groups` and `database`,
their sources in `loading`.  No text repeats a value, which may contain a password.
"""

import difflib
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import pydantic
import pydantic_settings

from cvms_pipeline import errors

PREFIX = "CVMS_"

_SUGGESTION_LIKENESS = 0.75
_MISSPELLING_LIKENESS = 0.88
"""Above those of variables that Kubernetes sets for a service `cvms-ui`: 0.86."""

_MOMENT = (
    "must be a date such as 2025-03-15, or a date and time such as 2025-03-15T09:30:00"
)
_TOO_SHORT = "must have at least {min_length} characters"
_WHOLE = "must be a whole number"
_EXPLANATIONS: Mapping[str, str] = {
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


class SettingError(errors.PermanentError):
    """A setting cannot be used."""


class Group(pydantic_settings.BaseSettings):
    """A few settings that belong together; each field names its variable."""

    model_config = pydantic_settings.SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # a docstring below a field is its description
    )


def field(
    name: str, default: Any, *, example: str, is_secret: bool = False, **rules: Any
) -> Any:
    """Return the field of a `Group` that the environment variable `name` sets.

    Args:
        name: The variable, such as `CVMS_PORT`.
        default: The value when it is not set.
        example: A value that is accepted, for `.env.example`.
        is_secret: Whether its value contains a password, which is never shown.
        rules: Rules of pydantic for the value, such as `ge=1`.
    """
    return pydantic.Field(
        default, validation_alias=name, examples=[example], repr=not is_secret, **rules
    )


def require_url(*schemes: str) -> pydantic.AfterValidator:
    """Return the check that a value is a URL of one of these schemes."""

    def check(value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(tuple(f"{s}:" for s in schemes)):
            raise ValueError(f"must start with {' or '.join(f'{s}:' for s in schemes)}")
        if not _is_url(value):
            raise ValueError(
                "is no URL; signs such as @ / : in a password are written %40 %2F %3A"
            )
        return value

    return pydantic.AfterValidator(check)


def _is_url(text: str) -> bool:
    try:
        _ = urlsplit(text).port
    except ValueError:
        return False
    return True


def explain_value(problem: Mapping[str, Any]) -> str:
    """Return what is wrong, to be read after the name of a setting or an option.

    Args:
        problem: One of the errors of a pydantic `ValidationError`.
    """
    explanation = _EXPLANATIONS.get(problem["type"])
    if explanation is None:
        return str(problem["msg"])
    return explanation.format_map(problem.get("ctx", {}))


def explain_names(
    names: Collection[str],
    known: Collection[str],
    *,
    place: str,
    is_shared: bool = False,
) -> list[str]:
    """Return a sentence for each of `names` that looks like a setting and is none.

    Args:
        names: The names that are set in `place`, in any case of letters.
        known: The variable of every setting.
        place: A file, a folder or the environment.
        is_shared: Whether other programs set names there, too; then only a name that
            is nearly a setting is reported.
    """
    return [
        _explain_name(name, known, place)
        for name in sorted(names)
        if _is_unknown(name.upper(), known)
        and (not is_shared or _find_similar(name, known, _MISSPELLING_LIKENESS))
    ]


def _is_unknown(name: str, known: Collection[str]) -> bool:
    return name.startswith(PREFIX) and name not in known


def _explain_name(name: str, known: Collection[str], place: str) -> str:
    similar = _find_similar(name, known, _SUGGESTION_LIKENESS)
    meant = f"; is {similar[0]} meant?" if similar else "."
    return f"{name}, set in {place}, is no setting{meant} All are in .env.example."


def _find_similar(name: str, known: Collection[str], likeness: float) -> list[str]:
    return difflib.get_close_matches(name.upper(), known, n=1, cutoff=likeness)
