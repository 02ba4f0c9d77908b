"""The registry of providers: add, list, show, change, disable, enable.

Only names, options and help texts; the work is imported when it is asked for.
"""

from typing import Annotated

import typer

from cvms_pipeline.cli.commands import options
from cvms_pipeline.domain import provider

app = typer.Typer(no_args_is_help=True, help="The registry of those who upload.")


@app.command()
def add(
    slug: options.Slug,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    email: Annotated[
        list[str], typer.Option("--email", help="A contact address; may be repeated.")
    ],
    pin: Annotated[
        str, typer.Option("--pin", help="The VFC PIN: NCA and 6 digits, or VAC2021.")
    ] = provider.GENERIC_PIN,
    json: options.Json = False,
) -> None:
    """Add a provider and make its folders.

    Example: cvms providers add mercy-hospital --name "Mercy Hospital"
    --pin NCA123456 --email staff@example.org
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    facts = registry.Facts(slug=slug, name=name, pin=pin, emails=tuple(email))
    registry.add(settings.load(), facts, as_json=json)


@app.command(name="list")
def list_all(json: options.Json = False) -> None:
    """List all providers.

    Example: cvms providers list
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    registry.list_all(settings.load(), as_json=json)


@app.command()
def show(slug: options.Slug, json: options.Json = False) -> None:
    """Show one provider: its facts, folders, number of uploads and recipients.

    Example: cvms providers show mercy-hospital
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    registry.show(settings.load(), slug, as_json=json)


@app.command()
def change(
    slug: options.Slug,
    email: Annotated[
        list[str],
        typer.Option("--email", help="A new contact address; may be repeated."),
    ],
) -> None:
    """Give a provider other contact addresses, in place of all it had.

    Example: cvms providers change mercy-hospital --email staff@example.org
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    registry.change(settings.load(), slug, emails=tuple(email))


@app.command()
def disable(slug: options.Slug) -> None:
    """Take no more uploads from a provider; what it has loaded stays.

    Example: cvms providers disable mercy-hospital
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    registry.switch(settings.load(), slug, is_enabled=False)


@app.command()
def enable(slug: options.Slug) -> None:
    """Let a disabled provider upload again, and make missing folders.

    Example: cvms providers enable mercy-hospital
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import registry

    registry.switch(settings.load(), slug, is_enabled=True)
