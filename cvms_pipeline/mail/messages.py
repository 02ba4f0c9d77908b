"""The words of the messages to recipients and data-ops: invitations and alerts.

Pure: values in, a `mime.Message` out.  How a message is sent is `mailer`, and whether
it has been sent is `store.outbox`.  The messages to providers are `notices`.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from email import utils

from cvms_pipeline.mail import mime

_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_NOON = 12
_WELCOME = "Welcome to the North Carolina Vaccine Management COVID-19 Vaccine Portal"


def make_message_id(purpose: str, sender: str) -> str:
    """Return the Message-ID for a `purpose`: always the same, and not readable."""
    domain = utils.parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    digest = hashlib.sha256(purpose.encode("utf-8", "backslashreplace")).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def make_invitation(
    *,
    to: str,
    sender: str,
    message_id: str,
    first_name: str,
    provider: str,
    username: str,
    link: str,
    valid_until: dt.datetime,
    spot_url: str,
) -> mime.Message:
    """Return the message that welcomes a recipient whom `provider` has registered.

    `valid_until` is shown in its own time zone; `spot_url` is a page with the places
    where people are vaccinated.
    """
    body = mime.Body()
    body.add_paragraph(f"Hello {first_name},")
    body.add_paragraph(
        f"{provider} has registered you for the North Carolina COVID-19 Vaccine Portal."
        " To use the portal, first set your password."
    )
    body.add_facts([("Your username", username)])
    body.add_paragraph("Set your password here:")
    body.add_link(link)
    body.add_paragraph(f"The link is valid until {format_moment(valid_until)}.")
    body.add_paragraph(
        "An account is not required to be vaccinated. Find a spot near you here:"
    )
    body.add_link(spot_url)
    body.add_paragraph(
        "If you did not expect this message, you can ignore it. Please do not"
        " forward it: whoever has the link can set your password."
    )
    body.add_paragraph("Vaccine Management System")
    body.begin_language("es")
    _add_spanish_text(body, first_name, provider, link, valid_until)
    welcome = _make_message(to, sender, message_id, _WELCOME, body)
    return dataclasses.replace(welcome, is_invitation=True)


def _add_spanish_text(
    body: mime.Body, first_name: str, provider: str, link: str, valid_until: dt.datetime
) -> None:
    """Add the invitation once more: nobody has said yet which language is read."""
    body.add_paragraph(f"Hola, {first_name}:")
    body.add_paragraph(
        f"{provider} lo ha registrado en el Portal de Vacunas contra el COVID-19 de"
        " Carolina del Norte. Para usar el portal, primero establezca su contraseña,"
        " con el nombre de usuario de arriba, aquí:"
    )
    body.add_link(link)
    until = format_moment_in_spanish(valid_until)
    body.add_paragraph(
        f"El enlace es válido hasta el {until}. No es necesario tener una cuenta para"
        " vacunarse. Si no esperaba este mensaje, puede ignorarlo. Por favor, no lo"
        " reenvíe: quien tenga el enlace puede establecer su contraseña."
    )


def make_alert(
    *,
    to: str,
    sender: str,
    message_id: str,
    subject: str,
    sentences: Sequence[str],
    link: str,
) -> mime.Message:
    """Return a message to data-ops: what is wrong, and where to see it.

    The caller keeps personal data out of it.
    """
    body = mime.Body()
    for sentence in sentences:
        body.add_paragraph(sentence)
    body.add_paragraph("See it in the Dagster UI:")
    body.add_link(link)
    return _make_message(to, sender, message_id, f"CVMS upload: {subject}", body)


def _make_message(
    to: str, sender: str, message_id: str, subject: str, body: mime.Body
) -> mime.Message:
    return mime.Message(
        to=(to,),
        sender=sender,
        message_id=message_id,
        subject=subject,
        text=body.as_text(),
        html=body.as_html(),
    )


def format_moment(at: dt.datetime) -> str:
    """Return a moment in its own time zone, with the name of the zone."""
    return f"{at:%B} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M %p %Z}".rstrip()


def format_moment_in_spanish(at: dt.datetime) -> str:
    """Return a moment in its own time zone, as `format_moment` does."""
    half = "a. m." if at.hour < _NOON else "p. m."
    clock = f"{at.hour % _NOON or _NOON}:{at:%M} {half} {at:%Z}".rstrip()
    return f"{at.day} de {_MONTHS[at.month - 1]} de {at.year}, {clock}"
