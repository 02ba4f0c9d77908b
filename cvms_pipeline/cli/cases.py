"""The commands cases and case: the help desk's queue, and one case with its activity.

Cases are opened and answered in the portal.
"""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvms_pipeline.cli import running, terminal

if TYPE_CHECKING:
    from cvms_pipeline.use_cases.help_desk import reading


def cases(
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="new, in_progress, waiting_for_requester, resolved or closed; by"
            " default those that are neither resolved nor closed.",
        ),
    ] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those not answered in time.")
    ] = False,
    unassigned: Annotated[
        bool, typer.Option("--unassigned", help="Only those assigned to nobody.")
    ] = False,
    limit: terminal.Limit = 100,
    json: terminal.Json = False,
) -> None:
    """List the cases of the help desk, those that wait longest first.

    Example: cvms cases --overdue
    """
    from cvms_pipeline.use_cases.help_desk import reading

    wanted = reading.Wanted(
        state=_read_state(state),
        assignee=reading.NOBODY if unassigned else None,
        is_overdue=overdue,
    )
    with running.open_pipeline() as pipeline:
        found = reading.list_queue(pipeline, wanted, limit=limit).lines
    if json:
        terminal.print_json([_as_json(line) for line in found])
        return
    table = terminal.make_table("Case", "State", "Priority", "Waiting since", "For")
    for line in found:
        table.add_row(
            terminal.join_lines(_format_number(line.number), line.kind.words),
            terminal.escape(line.state.words, "bold red" if line.is_overdue else ""),
            line.priority.words,
            terminal.format_moment(line.waiting_since),
            terminal.join_lines(line.organisation, line.assignee_name or "nobody"),
        )
    if found:
        terminal.out().print(table)
        terminal.print_line("All of one: cvms case NUMBER", "dim")
    else:
        terminal.print_line("There is no such case.")


def case(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="As in VACHCP0001015.")
    ],
    json: terminal.Json = False,
) -> None:
    """Show a case: what was asked, said and done. The audit records who has looked.

    Example: cvms case VACHCP0001015
    """
    from cvms_pipeline.domain.vocabulary import cases as vocabulary
    from cvms_pipeline.use_cases.help_desk import reading

    with running.open_pipeline() as pipeline:
        found = reading.get_case(pipeline, vocabulary.parse_number(number) or 0)
    if json:
        terminal.print_json(_as_json(found))
        return
    terminal.out().print(terminal.make_facts(_describe(found)))
    table = terminal.make_table("When", "Who", "What")
    for each in found.activity:
        internal = ", internal" if each.is_internal else ""
        what = f"{each.action.value.replace('_', ' ')}{internal}"
        codes = ", ".join(f"{name}: {value}" for name, value in each.details.items())
        table.add_row(
            terminal.format_moment(each.written_at),
            terminal.escape(each.author_name),
            terminal.join_lines(what, each.text or codes),
        )
    terminal.out().print(table)


def _read_state(text: str | None) -> Any:
    from cvms_pipeline.domain.vocabulary import cases as vocabulary

    if text is None:
        return None
    try:
        return vocabulary.State(text)
    except ValueError:
        words = ", ".join(vocabulary.State)
        raise typer.BadParameter(f"must be one of {words}") from None


def _format_number(number: int) -> str:
    from cvms_pipeline.domain.vocabulary import cases as vocabulary

    return vocabulary.format_number(number)


def _describe(found: "reading.CaseView") -> list[tuple[str, Any]]:
    about = f"{found.upload_id}, line {found.line}" if found.line else found.upload_id
    facts: list[tuple[str, Any]] = [
        ("Case", _format_number(found.number)),
        ("Request", found.kind.words),
        ("State", f"{found.state.words}{', overdue' if found.is_overdue else ''}"),
        ("Priority", found.priority.words),
        ("Organisation", terminal.escape(found.organisation)),
        ("VFC PIN", found.vfc_pin),
        ("Provider", found.provider or ""),
        ("Requester", terminal.escape(found.requester_name)),
        ("E-mail", terminal.escape(found.requester_email)),
        ("Assigned to", terminal.escape(found.assignee_name or "nobody")),
        ("Opened", terminal.format_moment(found.opened_at)),
        ("Waiting since", terminal.format_moment(found.waiting_since)),
        ("Closed", terminal.format_moment(found.closed_at)),
        ("About the upload", about or ""),
    ]
    facts += [
        (f"File {each.id}", terminal.escape(_describe_file(each)))
        for each in found.files
    ]
    return [(name, value) for name, value in facts if value]


def _describe_file(file: "reading.CaseFile") -> str:
    if file.is_removed:
        return "removed"
    loaded = f", loaded as {file.upload_id}" if file.loaded_at else ""
    return f"{file.file_name}, {file.size:,} bytes{loaded}"


def _as_json(found: "reading.CaseLine | reading.CaseView") -> dict[str, Any]:
    return {
        **dataclasses.asdict(found),
        "number": _format_number(found.number),
        "priority": int(found.priority),
    }
