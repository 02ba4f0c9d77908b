"""Passing over what cannot be removed, so that the others are removed all the same.

What is passed over stays as it is, in the tables and on the disk.  Data-ops are told
once (`retention.report_kept`), and each night tries again.
"""

import contextlib
import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypedDict, TypeVar

from cvms_pipeline import errors

_MAX = 100
"""With more than so many, something is wrong with all: the folder or the disk."""

_Key = TypeVar("_Key", bound=Hashable)


class _CannotRemoveError(Exception):
    """Ends the transaction of what cannot be removed."""

    def __init__(self, key: Hashable, cause: errors.CvmsError) -> None:
        super().__init__()
        self.key, self.cause = key, cause


class Facts(TypedDict):
    """How many things of a kind were passed over, which, and what has prevented it.

    `which` is a digest of their keys, so that it names nobody and changes with them.
    """

    kept: int
    which: str
    why: str


@dataclass(slots=True)
class PassedOver(Generic[_Key]):
    """What was passed over, by key.

    Attributes:
        keys: What could not be removed.
        why: What has prevented the first of them; without personal data.
    """

    keys: list[_Key] = field(default_factory=list)
    why: str = ""

    @property
    def facts(self) -> Facts:
        """Return how many were passed over, and why, for `retention.CleanupResult`."""
        keys = "\n".join(sorted(map(str, self.keys)))
        which = hashlib.sha256(keys.encode()).hexdigest()[:16] if keys else ""
        return {"kept": len(self.keys), "which": which, "why": self.why}

    @contextlib.contextmanager
    def removing(self, key: _Key) -> Iterator[None]:
        """Let an error of the pipeline inside end the block of `passing_over`."""
        try:
            yield
        except errors.CvmsError as error:
            raise _CannotRemoveError(key, error) from None

    @contextlib.contextmanager
    def passing_over(self) -> Iterator[None]:
        """Enclose a transaction that removes things, each inside of `removing`.

        If one cannot be removed, the transaction is rolled back and the caller goes on
        without that key.

        Raises:
            CvmsError: The error of the last key, if there are too many of them.
        """
        try:
            yield
        except _CannotRemoveError as error:
            self.keys.append(error.key)  # type: ignore[arg-type]  # of `removing`
            self.why = self.why or str(error.cause)
            if len(self.keys) > _MAX:
                raise error.cause from None
