"""The rows of files that were sent to the help desk; their bytes are in the archive.

The id of a file has the form of an upload's.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import tables

_TABLE = tables.case_files


class FileUnknown(errors.PermanentError):
    """The case has no such file, or it was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A file of a case.

    Attributes:
        file_name: As it was given; it may be anything.
        provider: For whom it is being loaded, as the upload `upload_id`, or None.
        loaded_at: When that upload was made; None before.
        removed_at: When its bytes were removed, or None.
    """

    id: str
    file_name: str = field(repr=False)
    size: int
    sha256: str
    added_at: dt.datetime
    provider: str | None = None
    upload_id: str | None = None
    loaded_at: dt.datetime | None = None
    removed_at: dt.datetime | None = None

    @property
    def is_removed(self) -> bool:
        """Return whether its bytes are gone."""
        return self.removed_at is not None


_FACTS = [_TABLE.c[name] for name in CaseFile.__dataclass_fields__]


def add(conn: sa.Connection, number: int, added: CaseFile) -> None:
    """Add a file to a case."""
    values = {column.name: getattr(added, column.name) for column in _FACTS}
    conn.execute(sa.insert(_TABLE).values(number=number, **values))


def list_of_case(conn: sa.Connection, number: int) -> Sequence[CaseFile]:
    """Return the files of a case, the earliest first."""
    query = sa.select(*_FACTS).where(_TABLE.c.number == number)
    ordered = query.order_by(_TABLE.c.added_at, _TABLE.c.id)
    return [CaseFile(**row._mapping) for row in conn.execute(ordered)]


def get(conn: sa.Connection, number: int, file_id: str) -> CaseFile:
    """Return a file of a case.

    Raises:
        FileUnknown: If the case has none with this id, or its bytes were removed.
    """
    is_meant = (_TABLE.c.number == number) & (_TABLE.c.id == file_id)
    row = conn.execute(sa.select(*_FACTS).where(is_meant)).one_or_none()
    if row is None or row.removed_at is not None:
        raise FileUnknown
    return CaseFile(**row._mapping)


def change(conn: sa.Connection, file_id: str, **values: Any) -> None:
    """Change columns of a file."""
    conn.execute(sa.update(_TABLE).where(_TABLE.c.id == file_id).values(**values))


def list_known(conn: sa.Connection, file_ids: Sequence[str]) -> set[str]:
    """Return which of these ids are those of files."""
    query = sa.select(_TABLE.c.id).where(_TABLE.c.id.in_(file_ids))
    return set(conn.scalars(query))
