"""The commands messages, messages show and resend: the outbox.

The addresses of messages are masked; the audit records whose text somebody has read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import rich.text
import typer

from cvms_pipeline.cli import running, terminal
from cvms_pipeline.domain.vocabulary import faults, message_kinds

if TYPE_CHECKING:
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import history

_MessageIds = Annotated[
    list[str], typer.Argument(metavar="MESSAGE...", help="Ids of `messages --refused`.")
]

_Kinds = Annotated[
    list[message_kinds.Kind] | None, typer.Option("--kind", help="Only of this kind.")
]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def messages(
    context: typer.Context,
    upload: Annotated[
        str | None, typer.Option("--upload", metavar="ID", help="Only of this upload.")
    ] = None,
    kind: _Kinds = None,
    unsent: Annotated[
        bool, typer.Option("--unsent", help="Only those still to be sent.")
    ] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="Only those refused permanently.")
    ] = False,
    limit: terminal.Limit = 50,
    json: terminal.Json = False,
) -> None:
    """List messages with their status, the latest first; addresses are masked.

    Example: cvms messages --kind notice --unsent
    """
    if context.invoked_subcommand is not None:
        return
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import history

    waiting, refusals = history.MessageStatus.WAITING, history.MessageStatus.REFUSED
    chosen = loading.load()
    with running.open_pipeline(chosen) as pipeline:
        found = history.list_messages(
            pipeline,
            upload_id=upload,
            kinds=kind or (),
            statuses=[waiting] * unsent + [refusals] * refused,
            limit=limit,
        )
    if json:
        terminal.print_json([_as_json(message, chosen) for message in found])
    elif found:
        terminal.out().print(_make_table(found, chosen))
    else:
        terminal.print_line("No such messages.")


@app.command()
def show(
    message_id: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="Its id, as `messages` lists it.")
    ],
    json: terminal.Json = False,
) -> None:
    """Show the text of one message, as it would be written now.

    Addresses are masked and the link of an invitation is left out.

    Example: cvms messages show 0195a6a0-3f3e-7cc1-8a4e-0d5f1f6b9c1d
    """
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import compose

    chosen = loading.load()
    with running.open_pipeline(chosen) as pipeline:
        listed, message = compose.show_message(pipeline, message_id)
        file = compose.find_file(pipeline, message_id)
    path = None if file is None else terminal.shorten_path(file)
    if json:
        content = {"subject": message.subject, "text": message.text, "file": path}
        terminal.print_json({**_as_json(listed, chosen), **content})
        return
    facts = [
        *_describe(listed, chosen),
        ("File", path),
        ("Attached", ", ".join(each.name for each in message.attachments)),
        ("Subject", message.subject),
    ]
    out = terminal.out()
    out.print(terminal.make_facts([(name, value) for name, value in facts if value]))
    out.print()
    for line in message.text.splitlines():
        out.print(terminal.escape(line), soft_wrap=True)


def _describe(
    listed: "history.Message", chosen: "loading.Settings"
) -> list[tuple[str, Any]]:
    return [
        ("Message", listed.id),
        ("Kind", listed.kind.value),
        ("Upload", listed.upload_id),
        ("To", ", ".join(listed.to)),
        ("State", terminal.format_status(listed.status.value)),
        ("Last error", _explain(listed, chosen)),
        ("Queued", terminal.format_moment(listed.queued_at)),
        ("Sent", terminal.format_moment(listed.sent_at)),
    ]


def _explain(message: "history.Message", chosen: "loading.Settings") -> str | None:
    """Return what the last error of a message means; None if there was none."""
    if message.last_error is None:
        return None
    has_server = chosen.mail.smtp_url is not None
    return faults.describe_mail_error(message.last_error, has_server=has_server)


def _as_json(message: "history.Message", chosen: "loading.Settings") -> dict[str, Any]:
    return {
        "id": message.id,
        "kind": message.kind.value,
        "upload": message.upload_id,
        "to": list(message.to),
        "status": message.status.value,
        "attempts": message.attempts,
        "last_error": message.last_error,
        "why": _explain(message, chosen),
        "queued_at": message.queued_at,
        "next_attempt_at": message.next_attempt_at,
        "sent_at": message.sent_at,
    }


def _make_table(
    found: "Sequence[history.Message]", chosen: "loading.Settings"
) -> rich.table.Table:
    table = terminal.make_table("Message", "To", "State", "Tries", "Queued, sent")
    for message in found:
        name = terminal.join_lines(message.kind.value, message.upload_id)
        name.append(f"\n{message.id}", "dim")
        status = terminal.format_status(message.status.value)
        if message.last_error:
            status.append(f"\n{_explain(message, chosen)}", "dim")
        moments = map(terminal.format_moment, (message.queued_at, message.sent_at))
        table.add_row(
            name,
            terminal.escape(", ".join(message.to)),
            status,
            terminal.format_count(message.attempts),
            terminal.join_lines(*moments),
        )
    return table


def resend(
    message_ids: _MessageIds,
    json: terminal.Json = False,
) -> None:
    """Send messages again that the mail server has refused, once the cause is fixed.

    Notices go to the addresses that the provider has now: all are sent, or none.

    Example: cvms resend 0195a6a0-3f3e-7cc1-8a4e-0d5f1f6b9c1d
    """
    from cvms_pipeline.use_cases import deliver

    ids = list(dict.fromkeys(message_ids))  # without duplicates
    with running.open_pipeline() as pipeline:
        deliver.resend_messages(pipeline, ids)
    if json:
        terminal.print_json({"resent": ids})
    else:
        what = "1 message is" if len(ids) == 1 else f"{len(ids):,} messages are"
        terminal.print_line(f"{what} to be sent again; see `cvms messages --unsent`.")
