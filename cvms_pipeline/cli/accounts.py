"""The commands `cvms accounts`: add, list, link, disable, enable, end-sessions.

Only these commands and the portal's own process import Django.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import running, terminal

if TYPE_CHECKING:
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import pipelines

app = typer.Typer(no_args_is_help=True, help="Who may log in to the portal.")

_Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The username.")]
_Print = Annotated[
    bool, typer.Option("--print", help="Print the link instead of mailing it.")
]
_DATA_OPS, _HELP_DESK, _RECIPIENT = "data_ops", "help_desk", "recipient"


class _RoleUnclear(errors.PermanentError):
    """Name either the provider, or the role data_ops or help_desk."""


_DEMO_PEOPLE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("staff of {}", "ann@{}.example.org", "provider", {}),
    ("data operations", "ops@example.org", _DATA_OPS, {}),
    ("the help desk", "lee@example.org", _HELP_DESK, {}),
    ("its supervisor", "kim@example.org", _HELP_DESK, {"is_supervisor": True}),
    (
        "a location that asks the help desk",
        "rosa@harbor-clinic.example.org",
        "requester",
        {"first_name": "Rosa", "last_name": "Diaz"},
    ),
]
"""Who has an account in the demonstration: for whom, address, role, more facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """An account of the demonstration: who it is for, and how to log in."""

    id: str
    who: str
    role: str
    name: str
    email: str
    provider: str
    username: str
    password: str


def make_demo_accounts(
    chosen: "loading.Settings", pipeline: "pipelines.Pipeline", provider: str
) -> list[DemoAccount]:
    """Make an account of each role, with new passwords; the first is the provider's."""
    from cvms_pipeline.portal.site import configuration

    configuration.set_up(chosen, pipeline)
    from cvms_pipeline.portal.accounts import administration

    made = []
    for who, address, role, facts in _DEMO_PEOPLE:
        slug = provider if role == "provider" else ""
        account, password = administration.make_demo_account(
            pipeline, address.format(provider), role=role, provider=slug, **facts
        )
        made.append(
            DemoAccount(
                id=str(account.pk),
                who=who.format(provider),
                role=role,
                name=account.name,
                email=account.email,
                provider=slug,
                username=account.username,
                password=password,
            )
        )
    return made


def end_log_ins(
    chosen: "loading.Settings", pipeline: "pipelines.Pipeline", people: Sequence[str]
) -> None:
    """Take the accounts of recipients away who were removed."""
    from cvms_pipeline.portal.site import configuration

    configuration.set_up(chosen, pipeline)
    from cvms_pipeline.portal.accounts import administration

    if administration.is_migrated():
        for recipient_id in people:
            administration.end_log_in(recipient_id)


@contextlib.contextmanager
def _open() -> "Iterator[pipelines.Pipeline]":
    """Open the pipeline, and Django with it; make the portal's tables if missing.

    Raises:
        DatabaseOutdated: If those of the user's own database are of another version.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.portal.site import configuration
    from cvms_pipeline.settings import loading

    chosen = loading.load()
    with running.open_pipeline(chosen) as pipeline:
        configuration.set_up(chosen, pipeline)
        from cvms_pipeline.portal.accounts import administration

        if not administration.is_migrated():
            if not chosen.database.is_embedded:
                raise bootstrap.DatabaseOutdated
            running.migrate_portal(chosen)
        yield pipeline


@app.command("add")
def _add(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="The owner's e-mail address.")
    ],
    provider: Annotated[
        str | None,
        typer.Option("--provider", metavar="SLUG", help="The provider it is for."),
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="data_ops or help_desk.")
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only", help="For data-ops: may look, but not change anything."
        ),
    ] = False,
    supervisor: Annotated[
        bool, typer.Option("--supervisor", help="Of the help desk: may approve.")
    ] = False,
    print_link: _Print = False,
    json: terminal.Json = False,
) -> None:
    """Add an account; its owner is mailed a link to set a password.

    Example: cvms accounts add ann@example.org --provider mercy-hospital
    """
    if (provider is None) == (role is None):
        raise _RoleUnclear
    if role not in (None, _DATA_OPS, _HELP_DESK):
        raise _RoleUnclear
    if read_only and role != _DATA_OPS:
        raise _RoleUnclear("--read-only is for accounts of the role data_ops.")
    if supervisor and role != _HELP_DESK:
        raise _RoleUnclear("--supervisor is for accounts of the role help_desk.")
    with _open() as pipeline:
        from cvms_pipeline.portal.accounts import administration

        account = administration.add_account(
            pipeline,
            address,
            role=role or "provider",
            provider=provider,
            is_read_only=read_only,
            is_supervisor=supervisor,
        )
        _hand_over(pipeline, account.username, print_link=print_link, json=json)


@app.command("link")
def _link(
    username: _Username, print_link: _Print = False, json: terminal.Json = False
) -> None:
    """Send a new link to set a password; it replaces an earlier one.

    Example: cvms accounts link ann@example.org --print
    """
    with _open() as pipeline:
        _hand_over(pipeline, username, print_link=print_link, json=json)


def _hand_over(
    pipeline: "pipelines.Pipeline", username: str, *, print_link: bool, json: bool
) -> None:
    """Mail the link of an account, or print it."""
    from cvms_pipeline.portal.accounts import administration

    account = administration.find_account(username)
    link = None
    if print_link:
        link = administration.print_link(pipeline, account)
    else:
        administration.send_link(pipeline, account)
    if json:
        facts = {"username": account.username, "address": account.email, "link": link}
        terminal.print_json(facts)
        return
    terminal.print_line(f"Username: {account.username}")
    if link is None:
        how = "gets a message with a link, as soon as `cvms up` runs"
        terminal.print_line(f"{account.email} {how}.")
    else:
        terminal.print_line("Link to set a password; whoever has it can use it once:")
        terminal.out().print(terminal.escape(link), soft_wrap=True)


@app.command("list")
def _list(
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="SLUG", help="Only of this one.")
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="Only of this role.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="How many recipients at most.")
    ] = 100,
    json: terminal.Json = False,
) -> None:
    """List all accounts but those of recipients, who are too many: --role recipient.

    Example: cvms accounts list --provider mercy-hospital
    """
    with _open():
        from cvms_pipeline.portal.accounts import administration

        most = limit if role == _RECIPIENT else None
        found = administration.list_accounts(provider, role=role, limit=most)
    if json:
        terminal.print_json(found)
        return
    if not found:
        terminal.print_line("No accounts yet. Add one: cvms accounts add --help")
        return
    table = terminal.make_table("Username", "Role", "Provider", "State", "Last log-in")
    for each in found:
        table.add_row(
            terminal.escape(each["username"]),
            _describe_role(each),
            each["provider"] or "-",
            each["state"],
            terminal.format_moment(each["last_login_at"]),
        )
    terminal.out().print(table)


def _describe_role(account: Mapping[str, Any]) -> str:
    more = {"is_read_only": ", read only", "is_supervisor": ", supervisor"}
    return "".join([account["role"], *(more[key] for key in more if account[key])])


@app.command("disable")
def _disable(username: _Username) -> None:
    """Stop an account from logging in; its sessions and links end at once.

    Example: cvms accounts disable ann@example.org
    """
    with _open() as pipeline:
        from cvms_pipeline.portal.accounts import administration

        administration.disable(pipeline, administration.find_account(username))
    terminal.print_line(f"{username} can no longer log in.")


@app.command("enable")
def _enable(username: _Username) -> None:
    """Let a disabled account log in again.

    Example: cvms accounts enable ann@example.org
    """
    with _open() as pipeline:
        from cvms_pipeline.portal.accounts import administration

        administration.enable(pipeline, administration.find_account(username))
    terminal.print_line(f"{username} can log in again.")


@app.command("end-sessions")
def _end_sessions(username: _Username) -> None:
    """Log an account out everywhere.

    Example: cvms accounts end-sessions ann@example.org
    """
    with _open() as pipeline:
        from cvms_pipeline.portal.accounts import administration

        count = administration.end_sessions(
            pipeline, administration.find_account(username)
        )
    sessions = "1 session" if count == 1 else f"{count} sessions"
    terminal.print_line(f"{username} was logged out of {sessions}.")
