"""What lets a recipient in, and what ends it: links, "This is not me", log-ins.

A link works once, for the recipient at the address that it was sent to, until a newer
one goes out.  Only `use_link` uses it: looking at a link changes nothing, however
often.  Nothing here says whether somebody is a recipient to anybody without a link.
"""

import datetime as dt
import enum
from dataclasses import dataclass, field

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events, programme
from cvms_pipeline.mail import links
from cvms_pipeline.store import audit
from cvms_pipeline.store.recipient_access import access
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.recipients import denials, mails

Language = programme.Language


class Why(enum.StrEnum):
    """Why a link does not work."""

    USED = "used"  # a password was set with it, or with another one
    REPLACED = "replaced"  # a newer one went out
    CORRECTED = "corrected"  # it went to an address that was corrected since
    REMOVED = "removed"  # the recipient was removed, or the upload withdrawn
    DENIED = "denied"  # somebody at the address is not the recipient
    TOO_OLD = "too-old"
    OLD_FORM = "old-form"  # made before links ended when they were used
    FORGED = "forged"  # not made here, or not copied whole


class LinkEnded(errors.PermanentError):
    """The link does not work, or not any more; ask for a new one.

    Attributes:
        why: What has ended it.
    """

    why: Why = Why.FORGED


class WrongUsername(errors.PermanentError):
    """The link is for another username: the one in the message with the link."""


class RecipientUnknown(errors.PermanentError):
    """There is no such recipient, or the recipient was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A recipient as its owner sees it."""

    recipient_id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    username: str = field(repr=False)
    language: str | None
    registered_at: dt.datetime | None


def check_link(pipeline: pipelines.Pipeline, token: str) -> Owner:
    """Return whom a link lets in; nothing changes.

    Raises:
        LinkEnded: If it does not.
    """
    with pipeline.store.begin() as conn:
        _, found = _read(conn, pipeline, token)
    return _describe(found)


def use_link(pipeline: pipelines.Pipeline, token: str, *, username: str) -> str:
    """Record that a password is set with a link, which ends it; return whose it is.

    From then on no upload corrects the address; whoever had a password gets a mail, so
    that a theft is noticed.  Who is corrected, removed or
    registered by somebody else at the same moment is waited for.

    Args:
        pipeline: The pipeline.
        token: The last part of the link.
        username: What was typed; the message with the link says it.

    Raises:
        LinkEnded: If the link does not work, or ended meanwhile.
        WrongUsername: If the username is another one; the link still works.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        signed, found = _read(conn, pipeline, token)
        if username.strip().lower() != found.username.lower():
            raise WrongUsername
        is_used = access.use_link(
            conn, found.id, link_id=signed.link_id, email=found.email, now=now
        )
        if is_used:
            _note(conn, audit_events.Event.PASSWORD_SET, found)
            if found.password_set_at is not None:
                mails.queue(conn, pipeline, found, mails.About.PASSWORD_CHANGED)
            return found.id
    with pipeline.store.begin() as conn:
        _read(conn, pipeline, token)  # says what was faster
    raise _ended(Why.USED)


def ask_links(pipeline: pipelines.Pipeline, typed: str) -> None:
    """Mail a link for each username of an address, or for the one that was typed.

    Nothing says whether there is one: what is typed may be anything.
    """
    name = typed.strip()
    if not name or "\0" in name:
        return
    with pipeline.store.begin() as conn:
        for found in access.list_by_name(conn, name):
            _queue_link(conn, pipeline, found)


def deny_address(pipeline: pipelines.Pipeline, token: str) -> None:
    """Record that whoever has a link is not its recipient ("This is not me").

    The address gets no more messages for this recipient, the link is dead, and the
    help desk and the provider get a case, until the provider corrects the address.

    Raises:
        LinkEnded: If the link does not work.
    """
    with pipeline.store.begin() as conn:
        _, found = _read(conn, pipeline, token, is_locked=True)
        access.deny(conn, found.id, now=pipeline.now())
        denials.open_case(conn, pipeline, found)
        _note(conn, audit_events.Event.ADDRESS_DENIED, found)


def may_log_in(pipeline: pipelines.Pipeline, recipient_id: str) -> bool:
    """Return whether a recipient has set a password and was not removed."""
    with pipeline.store.begin() as conn:
        found = access.find(conn, recipient_id)
    return (
        found is not None
        and found.removed_at is None
        and found.password_set_at is not None
    )


def set_language(
    pipeline: pipelines.Pipeline, recipient_id: str, language: str
) -> None:
    """Keep the language that a recipient has chosen, for pages and messages.

    Raises:
        ValueError: If it is none of `Language`.
    """
    with pipeline.store.begin() as conn:
        access.set_language(conn, recipient_id, Language(language).value)


def tell_password_changed(pipeline: pipelines.Pipeline, recipient_id: str) -> None:
    """Mail a recipient that the password was changed, so that a theft is noticed."""
    with pipeline.store.begin() as conn:
        found = access.find(conn, recipient_id)
        if found is not None:
            mails.queue(conn, pipeline, found, mails.About.PASSWORD_CHANGED)


def get_owner(pipeline: pipelines.Pipeline, recipient_id: str) -> Owner:
    """Return a recipient, for its owner's own pages.

    Raises:
        RecipientUnknown: If there is none, or it was removed.
    """
    with pipeline.store.begin() as conn:
        found = access.find(conn, recipient_id)
    if found is None or found.removed_at is not None:
        raise RecipientUnknown
    return _describe(found)


def _describe(found: access.Recipient) -> Owner:
    return Owner(
        recipient_id=found.id,
        first_name=found.first_name,
        last_name=found.last_name,
        email=found.email,
        username=found.username,
        language=found.language,
        registered_at=found.registered_at,
    )


def _read(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    token: str,
    *,
    is_locked: bool = False,
) -> tuple[links.SignedLink, access.Recipient]:
    """Return a link that works, and its recipient.

    Raises:
        LinkEnded: If it does not work.
    """
    try:
        signed = pipeline.links.read(token)
    except links.LinkForged:
        raise _ended(Why.FORGED) from None
    found = access.find(conn, signed.recipient_id, is_locked=is_locked)
    if found is None or found.removed_at is not None:
        raise _ended(Why.REMOVED)
    why = _find_end(pipeline, signed, found)
    if why is not None:
        raise _ended(why)
    return signed, found


def _find_end(
    pipeline: pipelines.Pipeline, signed: links.SignedLink, found: access.Recipient
) -> Why | None:
    """Return what has ended a link of somebody who was not removed; None if nothing."""
    if found.denied_at is not None:
        return Why.DENIED
    if signed.is_old_form:
        return Why.OLD_FORM
    if not pipeline.links.is_bound_to(signed, found.email):
        return Why.CORRECTED
    if found.current_link is None:
        return Why.USED
    if found.current_link != signed.link_id:
        return Why.REPLACED
    return Why.TOO_OLD if pipeline.now() >= signed.expires_at else None


def _ended(why: Why) -> LinkEnded:
    ended = LinkEnded()
    ended.why = why
    return ended


def _queue_link(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    found: access.Recipient,
) -> None:
    if access.has_waiting_link(conn, found.id):
        return
    if mails.queue(conn, pipeline, found, mails.About.LINK):
        _note(conn, audit_events.Event.LINK_QUEUED, found, reason="forgotten")


def _note(
    conn: engine.Connection,
    event: audit_events.Event,
    found: access.Recipient,
    **details: object,
) -> None:
    note = audit.Note(
        event=event,
        provider=found.provider,
        details={"recipient": found.id, **details},
    )
    audit.write(conn, [note])
