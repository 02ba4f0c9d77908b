"""What an error inside an op becomes, in words that hold no value."""

import dagster as dg
import pytest

from cvms_pipeline import errors
from cvms_pipeline.defs import failures, recovery


class DatabaseAwayError(errors.TransientError):
    """The database is away."""


class RuleBrokenError(errors.PermanentError):
    """A rule is broken."""


@pytest.fixture(autouse=True)
def without_waiting() -> None:
    """The waits are what is looked at."""


def raised(error: Exception, retry_number: int = 0) -> Exception:
    with (
        pytest.raises((dg.Failure, dg.RetryRequested)) as caught,
        failures.op_errors(retry_number),
    ):
        raise error
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value


def test_a_transient_fault_is_tried_again_after_waits_that_double_up_to_a_limit():
    asked = [raised(DatabaseAwayError(), number) for number in (0, 1, 2, 3, 39)]

    assert [type(each) for each in asked] == [dg.RetryRequested] * 5
    assert [each.seconds_to_wait for each in asked] == [2, 4, 8, 15, 15]
    assert {each.max_retries for each in asked} == {recovery.MAX_STEP_RETRIES}


def test_a_transient_fault_fails_after_the_last_retry():
    failure = raised(DatabaseAwayError(), recovery.MAX_STEP_RETRIES)

    assert isinstance(failure, dg.Failure)
    assert failure.description == "The database is away."


def test_a_permanent_fault_fails_the_run_at_once_with_our_message():
    failure = raised(RuleBrokenError())

    assert isinstance(failure, dg.Failure)
    assert failure.description == "A rule is broken."
    assert not failure.allow_retries


@pytest.mark.parametrize(
    "error", [DatabaseAwayError(), RuleBrokenError()], ids=["transient", "permanent"]
)
def test_a_tick_fails_after_any_error_and_requests_no_retry(error):
    with pytest.raises(dg.Failure) as caught, failures.sensor_errors():
        raise error

    assert caught.value.description == str(error)


def test_an_exception_of_a_library_is_reported_by_type_and_place_only():
    failure = raised(KeyError("Canary"))

    assert isinstance(failure, dg.Failure)
    assert failure.description.startswith("An unexpected KeyError in ")
    assert "Canary" not in str(failure)


def test_a_block_without_an_error_is_not_disturbed():
    with failures.op_errors(), failures.sensor_errors():
        value = 1

    assert value == 1
