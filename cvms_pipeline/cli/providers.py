"""The commands `cvms providers`: add, list, show, change, disable, enable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import rich.text
import typer

from cvms_pipeline.cli import running, terminal
from cvms_pipeline.domain.vocabulary import provider

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import providers

app = typer.Typer(no_args_is_help=True, help="Who may upload.")

_Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The provider's slug.")]


@app.command("add")
def _add(
    slug: _Slug,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    email: Annotated[
        list[str], typer.Option("--email", help="A contact address; may be repeated.")
    ],
    pin: Annotated[
        str, typer.Option("--pin", help="The VFC PIN: NCA and 6 digits, or VAC2021.")
    ] = provider.GENERIC_PIN,
    json: terminal.Json = False,
) -> None:
    """Add a provider and make its folders.

    Example: cvms providers add mercy-hospital --name "Mercy Hospital"
    --pin NCA123456 --email staff@example.org
    """
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import providers

    added = provider.Provider(
        slug=slug,
        name=name,
        vfc_pin=pin,
        emails=tuple(email),
        created_at=loading.now(),
    )
    with running.open_pipeline() as pipeline:
        providers.register_provider(pipeline, added)
        details = providers.get_provider(pipeline, slug)
    if json:
        terminal.print_json(_as_json(added) | _folders_as_json(details))
        return
    terminal.print_line(f"{added.name} may upload. Files go into:")
    terminal.out().print(terminal.make_facts(_describe_lanes(details)))


@app.command("list")
def _list(json: terminal.Json = False) -> None:
    """List all providers.

    Example: cvms providers list
    """
    from cvms_pipeline.use_cases import providers

    with running.open_pipeline() as pipeline:
        found = providers.list_providers(pipeline)
    if json:
        terminal.print_json([_as_json(item) for item in found])
    elif found:
        terminal.out().print(_make_table(found))
    else:
        terminal.print_line("No providers yet. Add one: cvms providers add --help")


def _make_table(found: Sequence[provider.Provider]) -> rich.table.Table:
    table = terminal.make_table("Slug", "Name", "VFC PIN", "E-mail", "Uploads")
    for item in found:
        table.add_row(
            item.slug,
            terminal.escape(item.name),
            item.vfc_pin,
            terminal.escape(", ".join(item.emails)),
            _describe_state(item),
        )
    return table


@app.command("show")
def _show(slug: _Slug, json: terminal.Json = False) -> None:
    """Show one provider: its facts, folders, number of uploads and recipients.

    Example: cvms providers show mercy-hospital
    """
    from cvms_pipeline.use_cases import providers

    with running.open_pipeline() as pipeline:
        details = providers.get_provider(pipeline, slug)
    found = details.facts
    if json:
        numbers = {"uploads": details.uploads, "recipients": details.recipients}
        terminal.print_json(_as_json(found) | _folders_as_json(details) | numbers)
        return
    pairs = [
        ("Slug", found.slug),
        ("Name", found.name),
        ("VFC PIN", found.vfc_pin),
        ("E-mail", ", ".join(found.emails)),
        ("Its uploads are", _describe_state(found)),
        ("Added", terminal.format_moment(found.created_at)),
        ("Uploads", f"{details.uploads:,}"),
        ("Recipients", f"{details.recipients:,}"),
        *_describe_lanes(details),
        ("Outcomes", details.results),
    ]
    terminal.out().print(terminal.make_facts(pairs))


@app.command("change")
def _change(
    slug: _Slug,
    email: Annotated[
        list[str],
        typer.Option("--email", help="A new contact address; may be repeated."),
    ],
) -> None:
    """Replace all contact addresses of a provider.

    Example: cvms providers change mercy-hospital --email staff@example.org
    """
    from cvms_pipeline.use_cases import providers

    with running.open_pipeline() as pipeline:
        providers.change_emails(pipeline, slug, tuple(email))
    terminal.print_line(f"Notices of {slug} go to {', '.join(email)} from now on.")


@app.command("disable")
def _disable(slug: _Slug) -> None:
    """Take no more uploads from a provider; what it has loaded stays.

    Example: cvms providers disable mercy-hospital
    """
    from cvms_pipeline.use_cases import providers

    with running.open_pipeline() as pipeline:
        providers.set_enabled(pipeline, slug, is_enabled=False)
    terminal.print_line(f"{slug} may not upload any more.")


@app.command("enable")
def _enable(slug: _Slug) -> None:
    """Let a disabled provider upload again, and make missing folders.

    Example: cvms providers enable mercy-hospital
    """
    from cvms_pipeline.use_cases import providers

    with running.open_pipeline() as pipeline:
        providers.set_enabled(pipeline, slug, is_enabled=True)
    terminal.print_line(f"{slug} may upload.")


def _as_json(found: provider.Provider) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "vfc_pin": found.vfc_pin,
        "emails": list(found.emails),
        "is_enabled": found.is_enabled,
        "created_at": found.created_at,
    }


def _folders_as_json(details: "providers.ProviderDetails") -> dict[str, Any]:
    lanes = {lane.value: str(path) for lane, path in details.lanes.items()}
    return {"folders": {**lanes, "results": str(details.results)}}


def _describe_lanes(details: "providers.ProviderDetails") -> list[tuple[str, Any]]:
    return [
        (f"Up to {lane.max_rows:,} rows", path) for lane, path in details.lanes.items()
    ]


def _describe_state(found: provider.Provider) -> rich.text.Text:
    if found.is_enabled:
        return terminal.escape("taken", "green")
    return terminal.escape("not taken", "red")
