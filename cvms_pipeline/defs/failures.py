"""What becomes of an error in Dagster: a retry, or a failure without foreign text.

Dagster stores the text, the cause and the context of an exception, and any of them
may quote a row.  So only sentences of this package leave an op or a sensor, never an
exception that a library wrote.  How often a step is retried is in `recovery`.
"""

import contextlib
import errno
import logging
import traceback
from collections.abc import Iterator

import dagster as dg

from cvms_pipeline import errors
from cvms_pipeline.defs import recovery
from cvms_pipeline.domain.vocabulary import faults


@contextlib.contextmanager
def op_errors(retry_number: int = 0) -> Iterator[None]:
    """Retry a step after a transient error; let it fail after any other.

    Args:
        retry_number: How many times Dagster has retried this step already.

    Raises:
        RetryRequested: After a transient error, with the wait before the retry.
        Failure: After any other error, or after the last retry.
    """
    try:
        yield
    except errors.TransientError as error:
        if retry_number >= recovery.MAX_STEP_RETRIES:
            raise _as_failure(error) from None
        wait = recovery.get_step_wait(retry_number).total_seconds()
        raise dg.RetryRequested(
            recovery.MAX_STEP_RETRIES, seconds_to_wait=wait
        ) from None
    except Exception as error:
        raise _as_failure(error) from None


@contextlib.contextmanager
def sensor_errors() -> Iterator[None]:
    """Let a tick or a check fail after any error; the next tick is its retry.

    Raises:
        Failure: After any error.
    """
    try:
        yield
    except Exception as error:
        raise _as_failure(error) from None


@contextlib.contextmanager
def passed_over(log: logging.Logger, what: str) -> Iterator[None]:
    """Report an error that concerns one thing only, so that the others are done.

    Args:
        log: Where it is reported.
        what: What it concerns, without personal data, such as an upload's id.

    Raises:
        TransientError: What is away for the moment is away for the others, too.
    """
    try:
        yield
    except errors.TransientError:
        raise
    except Exception as error:
        log.error(f"{what} is passed over. {_as_failure(error).description}")


def _as_failure(error: Exception) -> dg.Failure:
    """Return the failure that Dagster stores in place of `error`."""
    if isinstance(error, errors.CvmsError):
        text, is_transient = str(error), isinstance(error, errors.TransientError)
    else:
        text, is_transient = _describe_foreign(error)
    return dg.Failure(
        description=text,
        metadata={recovery.TRANSIENT_FAILURE: True} if is_transient else None,
        allow_retries=False,
    )


def _describe_foreign(error: Exception) -> tuple[str, bool]:
    """Return a sentence about the error of a library, and whether it can pass.

    It names the kind of the error and the place it came from, and no value of it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "cvms_pipeline" in f.filename] or list(frames)
    place = f"{ours[-1].name}, line {ours[-1].lineno}" if ours else "an unknown place"
    number = error.errno if isinstance(error, OSError) else None
    if number is not None and number in faults.NUMBERS:
        fault, name = faults.NUMBERS[number], errno.errorcode[number]
        return fault.describe(name, place=f"a file in {place}"), fault.is_passing
    return faults.BUG.describe(place=f"{type(error).__name__} in {place}"), False
