"""`cvms recipients` and `cvms messages`: who is stored, and what is told to whom.

They change nothing, but the audit tells who has seen recipients.  How recipients are
found is `store.search`, how messages are listed, and their addresses masked,
`store.listing`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import rich.table

from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.domain import events
from cvms_pipeline.store import audit, listing, outbox, search


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for, and how to show it."""

    words: tuple[str, ...]
    sort: str
    is_descending: bool
    limit: int


def recipients(settings: settings_.Settings, wanted: Search, *, as_json: bool) -> None:
    """Print the recipients that are found, and how many there are."""
    with access.opened(settings) as store, store.begin() as conn:
        found = search.search(
            conn,
            wanted.words,
            sort=wanted.sort,
            is_descending=wanted.is_descending,
            limit=wanted.limit,
        )
        _note_read(conn, found)
    if as_json:
        terminal.print_json(_found_as_json(found))
        return
    shown, more = len(found.recipients), " or more" if found.is_capped else ""
    out = terminal.out()
    if shown:
        out.print(_recipient_table(found))
    noun = "recipient" if found.total == 1 else "recipients"
    out.print(f"{shown:,} of {found.total:,}{more} {noun}")


def _note_read(conn: Any, found: search.Found) -> None:
    """Let the audit tell that somebody has seen recipients, not whom or what for."""
    shown = len(found.recipients)
    if shown:
        event, details = events.Event.RECIPIENTS_READ, {"recipients": shown}
        audit.write(conn, [audit.Note(event=event, details=details)])


def _found_as_json(found: search.Found) -> dict[str, Any]:
    rows: list[dict[Any, Any]] = found.recipients.to_dict("records")
    return {
        "total": found.total,
        "is_capped": found.is_capped,
        "recipients": [
            row
            | {
                "birth_date": terminal.iso(row["birth_date"]),
                "loaded_at": terminal.iso(row["loaded_at"]),
            }
            for row in rows
        ],
    }


def _recipient_table(found: search.Found) -> rich.table.Table:
    table = terminal.table("Recipient", "Born", "Loaded by")
    for row in found.recipients.itertuples():
        table.add_row(
            terminal.two_lines(f"{row.first_name} {row.last_name}", row.email),
            terminal.plain(row.birth_date),
            terminal.two_lines(row.provider, f"{row.upload} line {row.line}"),
        )
    return table


def messages(
    settings: settings_.Settings,
    *,
    upload_id: str | None,
    statuses: Collection[outbox.Status],
    limit: int,
    as_json: bool,
) -> None:
    """Print messages, the latest first."""
    with access.opened(settings) as store, store.begin() as conn:
        found = listing.messages(
            conn, upload_id=upload_id, statuses=statuses, limit=limit
        )
    if as_json:
        terminal.print_json([_message_as_json(each) for each in found])
    elif found:
        terminal.out().print(_message_table(found))
    else:
        terminal.out().print("No such messages.")


def _message_as_json(message: listing.Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "kind": message.kind.value,
        "upload": message.upload_id,
        "to": list(message.to),
        "status": message.status.value,
        "attempts": message.attempts,
        "last_error": message.last_error,
        "queued_at": terminal.iso(message.queued_at),
        "next_attempt_at": terminal.iso(message.next_attempt_at),
        "sent_at": terminal.iso(message.sent_at),
    }


def _message_table(found: Sequence[listing.Message]) -> rich.table.Table:
    table = terminal.table("Message", "To", "State", "Tries", "Queued, sent")
    for each in found:
        is_refused = each.status is outbox.Status.REFUSED
        message = terminal.two_lines(each.kind.value, each.upload_id)
        if is_refused:  # to be sent again by its id
            message.append(f"\n{each.id}", "dim")
        status = terminal.status(each.status.value)
        if each.last_error:
            status.append(f"\n{each.last_error}", "dim")
        table.add_row(
            message,
            terminal.plain(", ".join(each.to)),
            status,
            terminal.count(each.attempts),
            terminal.two_lines(
                terminal.moment(each.queued_at), terminal.moment(each.sent_at)
            ),
        )
    return table
