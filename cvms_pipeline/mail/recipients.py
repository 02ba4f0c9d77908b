"""The words of the messages to recipients, in English and Spanish.

A message is in the language that its recipient has chosen, or else in both.  Pure, like
`messages`, which has the words of the invitation.
"""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.mail import messages, mime

Language = programme.Language


class About(enum.StrEnum):
    """What a message to a recipient is about."""

    LINK = "link"  # a link to set a password, which was asked for
    REGISTERED = "registered"  # the registration is complete
    PASSWORD_CHANGED = "password-changed"  # noqa: S105  # what happened, no password


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a message to a recipient tells.

    Attributes:
        names: What the portal is called, by language.
        username: What the recipient types to log in.
        link: The link to set a password, or the address of the portal.
        valid_until: Until when a link to set a password works.
    """

    names: Mapping[Language, str]
    username: str = field(repr=False)
    link: str = field(repr=False)
    valid_until: dt.datetime


_Writer = Callable[[mime.Body, Facts], None]


def make_message(
    about: About,
    facts: Facts,
    *,
    to: str,
    sender: str,
    message_id: str,
    language: Language | None,
) -> mime.Message:
    """Return a message to a recipient.

    Args:
        about: What it is about.
        facts: What it tells.
        to: The address.
        sender: The address it is from.
        message_id: Stays the same when the message is sent again.
        language: What the recipient has chosen; None for both languages.
    """
    languages = [language] if language is not None else list(Language)
    body = mime.Body(languages[0].value)
    for each in languages:
        body.begin_language(each.value)
        _WRITERS[about, each](body, facts)
    subjects = [_SUBJECTS[about, each].format(facts.names[each]) for each in languages]
    return mime.Message(
        to=(to,),
        sender=sender,
        message_id=message_id,
        subject=" / ".join(subjects),
        text=body.as_text(),
        html=body.as_html(),
    )


def _link_en(body: mime.Body, facts: Facts) -> None:
    until = messages.format_moment(facts.valid_until)
    body.add_paragraph("Hello,")
    body.add_paragraph(
        "Somebody, probably you, has asked for a link to set the password for the"
        f" {facts.names[Language.ENGLISH]}."
    )
    body.add_facts([("Your username", facts.username)])
    body.add_paragraph("Set your password here:")
    body.add_link(facts.link)
    body.add_paragraph(
        f"The link works once, until {until}. A newer link replaces it. If several"
        " people share your e-mail address, each has a username and a message."
    )
    body.add_paragraph(
        "If you did not expect this message, you can ignore it: nothing changes. Please"
        " do not forward it: whoever has the link can set your password."
    )


def _link_es(body: mime.Body, facts: Facts) -> None:
    until = messages.format_moment_in_spanish(facts.valid_until)
    body.add_paragraph("Hola:")
    body.add_paragraph(
        "Alguien, probablemente usted, pidió un enlace para establecer la contraseña"
        f" del {facts.names[Language.SPANISH]}."
    )
    body.add_facts([("Su nombre de usuario", facts.username)])
    body.add_paragraph("Establezca su contraseña aquí:")
    body.add_link(facts.link)
    body.add_paragraph(
        f"El enlace funciona una sola vez, hasta el {until}. Un enlace más reciente lo"
        " reemplaza. Si varias personas comparten su correo electrónico, cada una tiene"
        " su nombre de usuario y su mensaje."
    )
    body.add_paragraph(
        "Si no esperaba este mensaje, puede ignorarlo: nada cambia. Por favor, no lo"
        " reenvíe: quien tenga el enlace puede establecer su contraseña."
    )


def _registered_en(body: mime.Body, facts: Facts) -> None:
    body.add_paragraph("Hello,")
    body.add_paragraph(
        f"Your registration in the {facts.names[Language.ENGLISH]} is complete. Your"
        " Vaccine Program Status is now Enrolled."
    )
    body.add_paragraph(
        "The registration does not yet mean that you can be vaccinated, and it is not"
        " an appointment. When your vaccine group can be vaccinated, you can make one."
    )
    body.add_paragraph("See your answers, and change them, here:")
    body.add_link(facts.link)
    body.add_facts([("Your username", facts.username)])


def _registered_es(body: mime.Body, facts: Facts) -> None:
    body.add_paragraph("Hola:")
    body.add_paragraph(
        f"Su registro en el {facts.names[Language.SPANISH]} está completo. Su estado en"
        " el programa de vacunación es ahora Inscrito."
    )
    body.add_paragraph(
        "El registro todavía no significa que pueda vacunarse, y no es una cita. Cuando"
        " su grupo de vacunación pueda vacunarse, podrá pedir una."
    )
    body.add_paragraph("Vea sus respuestas, y cámbielas, aquí:")
    body.add_link(facts.link)
    body.add_facts([("Su nombre de usuario", facts.username)])


def _changed_en(body: mime.Body, facts: Facts) -> None:
    body.add_paragraph("Hello,")
    body.add_paragraph(
        f"The password of your account in the {facts.names[Language.ENGLISH]} was set"
        " or changed."
    )
    body.add_facts([("Your username", facts.username)])
    body.add_paragraph(
        "If it was not you, ask for a new link with Forgot password, and set another"
        " password:"
    )
    body.add_link(facts.link)


def _changed_es(body: mime.Body, facts: Facts) -> None:
    body.add_paragraph("Hola:")
    body.add_paragraph(
        f"La contraseña de su cuenta en el {facts.names[Language.SPANISH]} fue"
        " establecida o cambiada."
    )
    body.add_facts([("Su nombre de usuario", facts.username)])
    body.add_paragraph(
        "Si no fue usted, pida un enlace nuevo con Olvidé mi contraseña, y establezca"
        " otra contraseña:"
    )
    body.add_link(facts.link)


_WRITERS: Mapping[tuple[About, Language], _Writer] = {
    (About.LINK, Language.ENGLISH): _link_en,
    (About.LINK, Language.SPANISH): _link_es,
    (About.REGISTERED, Language.ENGLISH): _registered_en,
    (About.REGISTERED, Language.SPANISH): _registered_es,
    (About.PASSWORD_CHANGED, Language.ENGLISH): _changed_en,
    (About.PASSWORD_CHANGED, Language.SPANISH): _changed_es,
}
_SUBJECTS: Mapping[tuple[About, Language], str] = {
    (About.LINK, Language.ENGLISH): "Set your password for the {}",
    (About.LINK, Language.SPANISH): "Establezca su contraseña del {}",
    (About.REGISTERED, Language.ENGLISH): "Your registration is complete: {}",
    (About.REGISTERED, Language.SPANISH): "Su registro está completo: {}",
    (About.PASSWORD_CHANGED, Language.ENGLISH): "Your password was changed: {}",
    (About.PASSWORD_CHANGED, Language.SPANISH): "Su contraseña fue cambiada: {}",
}
