"""What a requester does with a case after opening it: answer, add a file, close.

Each is done once for a `key`, however often it is sent.
"""

from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store.help_desk import activity, case_files, cases
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import attaching, mails, people, reading

Action = vocabulary.Action
State = vocabulary.State


class TextInvalid(errors.PermanentError):
    """Enter a text of at most 10,000 characters."""


class FileInvalid(errors.PermanentError):
    """The file cannot be added."""


def reply(
    pipeline: pipelines.Pipeline,
    number: int,
    text: str,
    *,
    by: people.Person,
    key: str,
) -> None:
    """Answer a case of one's own; one that waits for it or is resolved, is reopened.

    Raises:
        CaseUnknown: If it is somebody else's.
        CaseClosed: If it is closed.
        TextInvalid: If the text says nothing or is too long.
    """
    written = clean_text(text)
    with pipeline.store.begin() as conn:
        found = _lock_own(conn, number, by)
        if activity.has_key(conn, by.account_id, key):
            return
        _check_open(found)
        _take_up(conn, pipeline, found, by, key, Action.REPLIED, text=written)


def add_file(
    pipeline: pipelines.Pipeline,
    number: int,
    file: attaching.AttachedFile,
    *,
    by: people.Person,
    key: str,
) -> None:
    """Add a file to a case: one's own, or for staff any.

    Raises:
        CaseUnknown: If it is somebody else's.
        CaseClosed: If it is closed.
        FileInvalid: If the file is empty, too large, or no CSV file.
    """
    if problem := attaching.find_problem(file, max_bytes=pipeline.max_bytes):
        raise FileInvalid(problem)
    kept = attaching.keep(pipeline, file)
    try:
        is_added = _add_file(pipeline, number, kept, by, key)
    except errors.PermanentError:
        attaching.drop(pipeline, kept)
        raise
    if not is_added:
        attaching.drop(pipeline, kept)


def close(
    pipeline: pipelines.Pipeline, number: int, *, by: people.Person, key: str
) -> None:
    """Close a case of one's own; a closed one stays as it is.

    Raises:
        CaseUnknown: If it is somebody else's.
    """
    with pipeline.store.begin() as conn:
        found = _lock_own(conn, number, by)
        if found.state is State.CLOSED:
            return
        now = pipeline.now()
        values = cases.plan_state(found, State.CLOSED, now=now)
        closed = cases.change(conn, number, **values)
        added = activity.add(
            conn,
            now=now,
            number=number,
            action=Action.STATE_CHANGED,
            details={"from": found.state.value, "to": State.CLOSED.value},
            key=key,
            **people.describe_author(by),
        )
        mails.queue(conn, pipeline, closed, added, mails.About.CLOSED)


def clean_text(text: str) -> str:
    """Return a text without the white space around it.

    Raises:
        TextInvalid: If nothing is left, or it is too long.
    """
    written = text.strip()
    if not written or len(written) > vocabulary.MAX_TEXT or "\0" in written:
        raise TextInvalid
    return written


def _add_file(
    pipeline: pipelines.Pipeline,
    number: int,
    kept: case_files.CaseFile | None,
    by: people.Person,
    key: str,
) -> bool:
    with pipeline.store.begin() as conn:
        found = cases.lock(conn, number) if by.is_staff else _lock_own(conn, number, by)
        if kept is None or activity.has_key(conn, by.account_id, key):
            return False
        _check_open(found)
        case_files.add(conn, number, kept)
        details = {"file": kept.id}
        _take_up(conn, pipeline, found, by, key, Action.FILE_ADDED, details=details)
    return True


def _take_up(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    found: cases.Case,
    by: people.Person,
    key: str,
    action: Action,
    **facts: Any,
) -> None:
    """Record what was added; if a requester has added it, the case waits for staff."""
    now = pipeline.now()
    added = activity.add(
        conn,
        now=now,
        number=found.number,
        action=action,
        key=key,
        **people.describe_author(by),
        **facts,
    )
    if by.is_staff:
        cases.change(conn, found.number)
        return
    state = found.state if found.state is State.NEW else State.IN_PROGRESS
    values = cases.plan_state(found, state, now=now)
    changed = cases.change(conn, found.number, **values)
    mails.tell_help_desk(conn, pipeline, changed, added, mails.About.REPLIED)


def _lock_own(conn: engine.Connection, number: int, by: people.Person) -> cases.Case:
    reading.find_own(conn, number, by=by)
    return cases.lock(conn, number)


def _check_open(found: cases.Case) -> None:
    if found.state is State.CLOSED:
        raise cases.CaseClosed
