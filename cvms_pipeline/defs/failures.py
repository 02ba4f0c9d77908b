"""What becomes of an error inside an op: tried again, or a failed run, in clean words.

Dagster stores the text, the cause and the context of an exception; so nothing but
our own sentences leaves here, and never an exception that a library wrote.
"""

import contextlib
import traceback
from collections.abc import Iterator

import dagster as dg

from cvms_pipeline import errors

MOST_RETRIES = 40
"""Of a transient fault, before the run has failed: about ten minutes in all."""

TRANSIENT = "a later run may succeed"
"""In the metadata of a failure after which another run is asked for (`lost`)."""

_FIRST_WAIT_SECONDS = 2
_LONGEST_WAIT_SECONDS = 15


@contextlib.contextmanager
def told_to_dagster(retry_number: int = 0) -> Iterator[None]:
    """Turn an error into what Dagster should do about it.

    Args:
        retry_number: How often this step was tried before.

    Raises:
        RetryRequested: For a transient fault, with a wait that doubles up to a limit.
        Failure: For everything else, without retries.
    """
    try:
        yield
    except errors.TransientError as error:
        if retry_number >= MOST_RETRIES:
            raise _failure(str(error), {TRANSIENT: True}) from None
        wait = min(_FIRST_WAIT_SECONDS * 2**retry_number, _LONGEST_WAIT_SECONDS)
        raise dg.RetryRequested(MOST_RETRIES, seconds_to_wait=wait) from None
    except errors.CvmsError as error:
        raise _failure(str(error)) from None
    except Exception as error:
        raise _failure(where(error)) from None


def where(error: BaseException) -> str:
    """Return the kind of `error` and the place it came from, and no value of it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "cvms_pipeline" in f.filename] or list(frames)
    place = f"{ours[-1].name}, line {ours[-1].lineno}" if ours else "an unknown place"
    return f"An unexpected {type(error).__name__} in {place}. This is a bug of ours."


def _failure(text: str, metadata: dict[str, bool] | None = None) -> dg.Failure:
    return dg.Failure(description=text, metadata=metadata, allow_retries=False)
