"""The addresses of the help desk: for requesters and providers, and for its staff."""

from django.urls import path

from cvms_pipeline.portal.accounts import models, roles
from cvms_pipeline.portal.help_desk import asking, own_cases, registration
from cvms_pipeline.portal.help_desk.staff import (
    case_page,
    handling_page,
    judging,
    onboarding_page,
    queue,
    removal_page,
)


def _public(view: roles.View) -> roles.View:
    return roles.open_to(view, is_for_all=True)


def _own(view: roles.View) -> roles.View:
    return roles.open_to(view, models.Role.REQUESTER, models.Role.PROVIDER)


def _staff(view: roles.View) -> roles.View:
    return roles.open_to(view, models.Role.HELP_DESK)


_CASE = "cases/<str:number>/"
_DESK = "desk/<str:number>/"

urlpatterns = [
    path("register/", _public(registration.register), name="register"),
    path("register/sent/", _public(registration.show_registered), name="registered"),
    path("cases/", _own(own_cases.list_cases), name="cases"),
    path("cases/new/", _own(asking.new_case), name="new_case"),
    path(
        _CASE,
        roles.open_to(
            own_cases.show_case,
            models.Role.REQUESTER,
            models.Role.PROVIDER,
            models.Role.HELP_DESK,  # whose messages have the same link
        ),
        name="case",
    ),
    path(f"{_CASE}opened/", _own(asking.show_opened), name="case_opened"),
    path(f"{_CASE}reply/", _own(own_cases.reply), name="case_reply"),
    path(f"{_CASE}file/", _own(own_cases.add_file), name="case_file"),
    path(f"{_CASE}close/", _own(own_cases.close), name="close_case"),
    path(
        f"{_CASE}files/<str:file_id>/", _own(own_cases.download_file), name="own_file"
    ),
    path("desk/", _staff(queue.show_queue), name="queue"),
    path(_DESK, _staff(case_page.show_case), name="desk_case"),
    path(
        f"{_DESK}looking/", roles.polled(_staff(case_page.show_looking)), name="looking"
    ),
    path(f"{_DESK}handle/", _staff(handling_page.handle), name="handle_case"),
    path(f"{_DESK}reply/", _staff(handling_page.reply), name="desk_reply"),
    path(f"{_DESK}note/", _staff(handling_page.write_note), name="write_note"),
    path(
        f"{_DESK}files/<str:file_id>/",
        _staff(case_page.download_file),
        name="desk_file",
    ),
    path(
        f"{_DESK}removal/", _staff(removal_page.find_recipient), name="find_recipient"
    ),
    path(f"{_DESK}removal/ask/", _staff(removal_page.ask), name="ask_removal"),
    path(
        f"{_DESK}removal/approve/",
        _staff(removal_page.approve),
        name="approve_removal",
    ),
    path(
        f"{_DESK}removal/take-back/",
        _staff(removal_page.take_back),
        name="take_back_removal",
    ),
    path(
        f"{_DESK}files/<str:file_id>/review/",
        _staff(judging.judge_file),
        name="judge_file",
    ),
    path(
        f"{_DESK}files/<str:file_id>/load/", _staff(judging.load_file), name="load_file"
    ),
    path(f"{_DESK}approve/", _staff(onboarding_page.approve), name="onboard"),
    path(f"{_DESK}refuse/", _staff(onboarding_page.refuse), name="refuse_onboarding"),
]
