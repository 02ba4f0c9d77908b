"""Onboarding: a supervisor makes a provider of who has asked for it, or refuses.

The provider is made first, with its folders; then the portal makes the account; then
the case is resolved.  After a crash between them, it is approved again with the same
slug, and nothing is made twice.
"""

import re
from collections.abc import Callable
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.domain.vocabulary import provider
from cvms_pipeline.files import provider_folders
from cvms_pipeline.store import providers
from cvms_pipeline.store.help_desk import cases
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import answering, handling, mails, people

Action = vocabulary.Action
State = vocabulary.State

_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 60


class ForSupervisors(errors.PermanentError):
    """Only a supervisor of the help desk may decide this."""


class NotOnboarding(errors.PermanentError):
    """This is no request for onboarding that waits for a decision."""


class PinTaken(errors.PermanentError):
    """Another provider has this VFC PIN already."""


def approve(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    slug: str,
    by: people.Person,
    version: int,
    add_account: Callable[[str, cases.Case], Any],
) -> None:
    """Make a provider of who has asked for it; its folders and first account, too.

    Args:
        pipeline: The pipeline.
        number: The case, whose organisation, PIN and address the provider gets.
        slug: The provider's name in folders and commands.
        by: The supervisor.
        version: The version of the case as it was shown.
        add_account: Adds the account of a manager of the provider `slug` for the
            requester, unless there is one; may be called again.

    Raises:
        ForSupervisors: If `by` is none.
        NotOnboarding: If the case asks for something else, or was decided.
        PinTaken: If another provider has the VFC PIN, and it may not be shared.
        ProviderExists: If the slug is taken.
        ProviderInvalid: If the slug or another fact cannot be used.
        StaleCase: If the case has changed since it was shown.
    """
    if not by.is_supervisor:
        raise ForSupervisors
    case = _add_provider(pipeline, number, slug, by, version)
    add_account(slug, case)
    with handling.handled(pipeline, number, by=by) as desk:
        if desk.case.state.is_open:
            _finish(desk, Action.STATE_CHANGED, mails.About.ONBOARDED)


def refuse(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    reason: str,
    by: people.Person,
    version: int,
) -> None:
    """Refuse onboarding with a reason, which the requester reads on the page.

    Raises:
        ForSupervisors: If `by` is no supervisor.
        NotOnboarding: If the case asks for something else, or was decided.
        StaleCase: If the case has changed since it was shown.
        TextInvalid: If the reason says nothing or is too long.
    """
    if not by.is_supervisor:
        raise ForSupervisors
    written = answering.clean_text(reason)
    with handling.handled(pipeline, number, by=by, version=version) as desk:
        _check_undecided(desk.case)
        if desk.case.provider is not None:
            raise NotOnboarding
        about = mails.About.ONBOARDING_REFUSED
        _finish(desk, Action.ONBOARDING_REFUSED, about, text=written)


def is_pin_taken(pipeline: pipelines.Pipeline, vfc_pin: str) -> bool:
    """Return whether a provider has this VFC PIN; the generic one is shared."""
    with pipeline.store.begin() as conn:
        return _is_taken(conn, vfc_pin)


def suggest_slug(pipeline: pipelines.Pipeline, organisation: str) -> str:
    """Return a free slug for an organisation; empty if its name has no letters."""
    stem = _NOT_IN_SLUG.sub("-", organisation.lower())[:_MAX_SLUG].strip("-")
    if not stem:
        return ""
    with pipeline.store.begin() as conn:
        taken = {each.slug for each in providers.list_all(conn)}
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _add_provider(
    pipeline: pipelines.Pipeline,
    number: int,
    slug: str,
    by: people.Person,
    version: int,
) -> cases.Case:
    """Add the provider with its folders, unless that was done, and return the case."""
    with handling.handled(pipeline, number, by=by) as desk:
        _check_undecided(desk.case)
        if desk.case.provider == slug:
            return desk.case
        if desk.case.provider is not None:
            raise NotOnboarding
        if desk.case.version != version:
            raise cases.StaleCase
        providers.lock(desk.conn)
        if _is_taken(desk.conn, desk.case.vfc_pin):
            raise PinTaken
        added = provider.Provider(
            slug=slug,
            name=desk.case.organisation,
            vfc_pin=desk.case.vfc_pin,
            emails=(desk.case.requester_email,),
            created_at=pipeline.now(),
        )
        providers.add(desk.conn, added)
        provider_folders.make_folders(pipeline.folders, slug)
        desk.add(Action.PROVIDER_ADDED, details={"provider": slug})
        return desk.change(provider=slug)


def _finish(
    desk: handling.Handled, action: Action, about: mails.About, **facts: Any
) -> None:
    """Resolve the case, and tell the requester in one message why."""
    now, before = desk.pipeline.now(), desk.case.state
    resolved = desk.change(**cases.plan_state(desk.case, State.RESOLVED, now=now))
    details = {"from": before.value, "to": State.RESOLVED.value}
    added = desk.add(action, details=details, **facts)
    mails.queue(desk.conn, desk.pipeline, resolved, added, about)


def _check_undecided(case: cases.Case) -> None:
    if case.kind is not vocabulary.Kind.ONBOARDING or not case.state.is_open:
        raise NotOnboarding


def _is_taken(conn: engine.Connection, vfc_pin: str) -> bool:
    is_shared = vfc_pin == provider.GENERIC_PIN
    return not is_shared and vfc_pin in {p.vfc_pin for p in providers.list_all(conn)}
