"""The registry of providers and their folders, for every way in.

The rules for a provider's facts are `domain.vocabulary.provider`, its row is in
`store.providers`, its folders are `files.provider_folders`; here they change together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.domain.vocabulary import provider, upload
from cvms_pipeline.files import incoming, provider_folders
from cvms_pipeline.store import providers
from cvms_pipeline.use_cases import pipelines

ProviderExists = providers.ProviderExists
ProviderUnknown = providers.ProviderUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDetails:
    """A provider with its numbers and folders.

    Attributes:
        facts: The provider itself.
        uploads: How many uploads it has sent.
        recipients: How many recipients it has loaded.
        lanes: The folder of each lane, into which it drops its files.
        results: The folder with the outcomes of its uploads.
    """

    facts: provider.Provider
    uploads: int
    recipients: int
    lanes: Mapping[upload.Lane, Path]
    results: Path


def register_provider(pipeline: pipelines.Pipeline, added: provider.Provider) -> None:
    """Add a provider and make its folders: both or neither.

    Raises:
        ProviderExists: If the slug is taken, also by a disabled provider.
        GroupUnknown: If the system does not have the group of the folders.
    """
    with pipeline.store.begin() as conn:
        providers.add(conn, added)
        provider_folders.make_folders(pipeline.folders, added.slug)


def list_providers(pipeline: pipelines.Pipeline) -> Sequence[provider.Provider]:
    """Return every provider in order of slug."""
    with pipeline.store.begin() as conn:
        return providers.list_all(conn)


def get_provider(pipeline: pipelines.Pipeline, slug: str) -> ProviderDetails:
    """Return the provider `slug`, enabled or not.

    Raises:
        ProviderUnknown: If there is no such provider.
    """
    with pipeline.store.begin() as conn:
        facts, counts = providers.get(conn, slug), providers.count(conn, slug)
    folder = pipeline.folders.root / slug
    return ProviderDetails(
        facts=facts,
        uploads=counts.uploads,
        recipients=counts.recipients,
        lanes={lane: folder / lane for lane in upload.Lane},
        results=folder / incoming.RESULTS,
    )


def change_emails(
    pipeline: pipelines.Pipeline, slug: str, emails: tuple[str, ...]
) -> None:
    """Replace the contact addresses of a provider.

    Raises:
        EmailsInvalid: If one of them is no address, or there is none.
        ProviderUnknown: If there is no such provider.
    """
    with pipeline.store.begin() as conn:
        providers.change(conn, slug, emails=emails)


def set_enabled(pipeline: pipelines.Pipeline, slug: str, *, is_enabled: bool) -> None:
    """Accept the uploads of a provider, or accept no more; its recipients stay.

    If it is enabled, its folders are made where any is missing.

    Raises:
        ProviderUnknown: If there is no such provider.
    """
    with pipeline.store.begin() as conn:
        providers.change(conn, slug, is_enabled=is_enabled)
        if is_enabled:
            provider_folders.make_folders(pipeline.folders, slug)
