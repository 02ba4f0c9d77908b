"""What an error inside an op becomes, in words that hold no value."""

import dagster as dg
import pytest

from cvms_pipeline import errors
from cvms_pipeline.defs import failures


class DatabaseAwayError(errors.TransientError):
    """The database is away."""


class RuleBrokenError(errors.PermanentError):
    """A rule is broken."""


@pytest.fixture(autouse=True)
def without_waiting() -> None:
    """The waits are what is looked at."""


def told(error: Exception, retry_number: int = 0) -> Exception:
    with (
        pytest.raises((dg.Failure, dg.RetryRequested)) as caught,
        failures.told_to_dagster(retry_number),
    ):
        raise error
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value


def test_a_transient_fault_is_tried_again_after_waits_that_double_up_to_a_limit():
    asked = [told(DatabaseAwayError(), number) for number in (0, 1, 2, 3, 39)]

    assert [type(each) for each in asked] == [dg.RetryRequested] * 5
    assert [each.seconds_to_wait for each in asked] == [2, 4, 8, 15, 15]
    assert {each.max_retries for each in asked} == {failures.MOST_RETRIES}


def test_a_transient_fault_fails_after_the_last_retry():
    failure = told(DatabaseAwayError(), failures.MOST_RETRIES)

    assert isinstance(failure, dg.Failure)
    assert failure.description == "The database is away."


def test_a_permanent_fault_fails_at_once_in_our_words():
    failure = told(RuleBrokenError())

    assert isinstance(failure, dg.Failure)
    assert failure.description == "A rule is broken."
    assert not failure.allow_retries


def test_an_exception_of_a_library_is_told_by_kind_and_place_only():
    failure = told(KeyError("Canary"))

    assert isinstance(failure, dg.Failure)
    assert failure.description.startswith("An unexpected KeyError in ")
    assert "Canary" not in str(failure)


def test_what_goes_well_is_left_alone():
    with failures.told_to_dagster():
        value = 1

    assert value == 1
