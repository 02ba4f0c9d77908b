"""The addresses of the recipient portal."""

from django.urls import path

from cvms_pipeline.portal.accounts import models, roles
from cvms_pipeline.portal.recipient import home, opening, steps


def _public(view: roles.View) -> roles.View:
    return roles.open_to(view, is_for_all=True)


def _own(view: roles.View) -> roles.View:
    return roles.open_to(view, models.Role.RECIPIENT)


_LINK, _FORM = "set-password/", "me/registration/"

urlpatterns = [
    path(_LINK, _public(opening.set_password), name="recipient_password"),
    path(f"{_LINK}not-me/", _public(opening.deny), name="not_me"),
    path(f"{_LINK}not-me/told/", _public(opening.show_told), name="not_me_told"),
    path(
        f"{_LINK}<str:token>/", _public(opening.open_link), name="open_recipient_link"
    ),
    path("me/", _own(home.show_home), name="me"),
    path(_FORM, _own(steps.resume), name="registration"),
    path(
        f"{_FORM}introduction/",
        _own(steps.introduction),
        name="registration_introduction",
    ),
    path(f"{_FORM}detail/", _own(steps.detail), name="registration_detail"),
    path(
        f"{_FORM}confirmation/",
        _own(steps.confirmation),
        name="registration_confirmation",
    ),
    path(f"{_FORM}complete/", _own(home.show_complete), name="registration_complete"),
    path(f"{_FORM}answers/", _own(home.answers), name="registration_answers"),
]
