"""`cvms providers`: the registry, and the folders that go with it.

Rules about a provider's facts are `domain.provider`, its row is `store.providers`.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline import opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.domain import provider as providers
from cvms_pipeline.domain import upload
from cvms_pipeline.files import incoming
from cvms_pipeline.files import providers as folders
from cvms_pipeline.store import engine, listing
from cvms_pipeline.store import providers as stored

_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the user says of a new provider."""

    slug: str
    name: str
    pin: str
    emails: tuple[str, ...]


def add(settings: settings_.Settings, facts: Facts, *, as_json: bool) -> None:
    """Register a provider and make its folders: both or neither."""
    added = providers.Provider(
        slug=facts.slug,
        name=facts.name,
        vfc_pin=facts.pin,
        emails=facts.emails,
        created_at=settings_.now(),
    )
    with access.opened(settings) as store:
        register(store, settings, added)
    if as_json:
        terminal.print_json(_with_folders(settings, added))
        return
    out = terminal.out()
    out.print(terminal.plain(f"{added.name} may upload. Files go into:"))
    out.print(terminal.facts(_lanes(settings, added.slug)))


def register(
    store: engine.Store, settings: settings_.Settings, added: providers.Provider
) -> None:
    """Add a provider and make its folders: both or neither."""
    with store.begin() as conn:
        stored.add(conn, added)
        folders.make_provider(opening.open_folders(settings), added.slug)


def list_all(settings: settings_.Settings, *, as_json: bool) -> None:
    """Print every provider."""
    with access.opened(settings) as store, store.begin() as conn:
        found = stored.list_all(conn)
    if as_json:
        terminal.print_json([_as_json(each) for each in found])
        return
    if not found:
        terminal.out().print("No providers yet. Add one: cvms providers add --help")
        return
    table = terminal.table("Slug", "Name", "VFC PIN", "E-mail", "Uploads")
    for each in found:
        table.add_row(
            each.slug,
            terminal.plain(each.name),
            each.vfc_pin,
            terminal.plain(", ".join(each.emails)),
            _state(each),
        )
    terminal.out().print(table)


def show(settings: settings_.Settings, slug: str, *, as_json: bool) -> None:
    """Print one provider with its folders and numbers."""
    with access.opened(settings) as store, store.begin() as conn:
        found = stored.get(conn, slug)
        numbers = [
            each for each in listing.summary(conn, since=_EVER) if each.provider == slug
        ]
    uploads = sum(each.uploads for each in numbers)
    recipients = sum(each.loaded - each.updated for each in numbers)
    if as_json:
        counts = {"uploads": uploads, "recipients": recipients}
        terminal.print_json({**_with_folders(settings, found), **counts})
        return
    pairs = [
        ("Slug", found.slug),
        ("Name", found.name),
        ("VFC PIN", found.vfc_pin),
        ("E-mail", ", ".join(found.emails)),
        ("Its uploads are", _state(found)),
        ("Added", terminal.moment(found.created_at)),
        ("Uploads", f"{uploads:,}"),
        ("Recipients", f"{recipients:,}"),
        *_lanes(settings, slug),
        ("Outcomes", _folder(settings, slug) / incoming.RESULTS),
    ]
    terminal.out().print(terminal.facts(pairs))


def change(settings: settings_.Settings, slug: str, *, emails: tuple[str, ...]) -> None:
    """Give a provider other contact addresses."""
    with access.opened(settings) as store, store.begin() as conn:
        stored.change_emails(conn, slug, emails)
    text = f"Notices of {slug} go to {', '.join(emails)} from now on."
    terminal.out().print(terminal.plain(text))


def switch(settings: settings_.Settings, slug: str, *, is_enabled: bool) -> None:
    """Let a provider upload again, or no more; its folders are made or stay."""
    with access.opened(settings) as store, store.begin() as conn:
        if is_enabled:
            stored.enable(conn, slug)
            folders.make_provider(opening.open_folders(settings), slug)
        else:
            stored.disable(conn, slug)
    what = "may upload" if is_enabled else "may not upload any more"
    terminal.out().print(terminal.plain(f"{slug} {what}."))


def _as_json(found: providers.Provider) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "vfc_pin": found.vfc_pin,
        "emails": list(found.emails),
        "is_enabled": found.is_enabled,
        "created_at": terminal.iso(found.created_at),
    }


def _with_folders(
    settings: settings_.Settings, found: providers.Provider
) -> dict[str, Any]:
    folder = _folder(settings, found.slug)
    names = (*(lane.value for lane in upload.Lane), incoming.RESULTS)
    return {**_as_json(found), "folders": {name: str(folder / name) for name in names}}


def _lanes(settings: settings_.Settings, slug: str) -> list[tuple[str, Any]]:
    folder = _folder(settings, slug)
    return [(f"Up to {lane.max_rows:,} rows", folder / lane) for lane in upload.Lane]


def _folder(settings: settings_.Settings, slug: str) -> Path:
    return settings.folder("incoming") / slug


def _state(found: providers.Provider) -> Any:
    if found.is_enabled:
        return terminal.plain("taken", "green")
    return terminal.plain("not taken", "red")
