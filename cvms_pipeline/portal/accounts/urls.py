"""The addresses of the accounts; each says who may open it."""

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as key_views
from allauth.usersessions import views as session_views
from django.urls import path

from cvms_pipeline.portal.accounts import languages, models, roles, team, views
from cvms_pipeline.portal.single_sign_on import saml_views as saml
from cvms_pipeline.portal.single_sign_on import service
from cvms_pipeline.portal.single_sign_on import views as sso


def _public(view: roles.View) -> roles.View:
    return roles.open_to(view, is_for_all=True)


def _own(view: roles.View) -> roles.View:
    return roles.open_to(view)


def _set_up(view: roles.View) -> roles.View:
    """Return a view that is needed to set up a second factor."""
    return roles.before_second_factor(roles.open_to(view))


_PROVIDER = models.Role.PROVIDER
_DATA_OPS = models.Role.DATA_OPS

urlpatterns = [
    path("", roles.open_to(views.home), name="home"),
    path("accounts/login/", _public(account_views.login), name="account_login"),
    path("accounts/sso/", _public(sso.start), name="sso"),
    path("accounts/sso/choose/", _public(sso.choose), name="sso_choose"),
    path(
        "accounts/sso/callback/",
        _public(sso.finish),
        {"provider_id": service.ID},  # with which allauth looks for it
        name="openid_connect_callback",
    ),
    path("accounts/sso/saml/", _public(saml.receive), name="saml_receive"),
    path("accounts/sso/saml/finish/", _public(saml.finish), name="saml_finish"),
    path("accounts/sso/saml/metadata/", _public(saml.metadata), name="saml_metadata"),
    path("accounts/logout/", _set_up(account_views.logout), name="account_logout"),
    path("accounts/forgot/", _public(views.forgot), name="forgot"),
    path("accounts/forgot/sent/", _public(views.forgot_sent), name="forgot_sent"),
    path("accounts/set-password/", _public(views.set_password), name="set_password"),
    path(
        "accounts/set-password/<str:token>/", _public(views.open_link), name="open_link"
    ),
    path(
        "accounts/password/",
        _own(account_views.password_change),
        name="account_change_password",
    ),
    path(
        "accounts/confirm/",
        _set_up(account_views.reauthenticate),
        name="account_reauthenticate",
    ),
    path("accounts/factors/", _set_up(mfa_views.index), name="mfa_index"),
    path(
        "accounts/factors/log-in/",
        _public(mfa_views.authenticate),
        name="mfa_authenticate",
    ),
    path(
        "accounts/factors/confirm/",
        _set_up(mfa_views.reauthenticate),
        name="mfa_reauthenticate",
    ),
    path(
        "accounts/factors/app/",
        _set_up(totp_views.activate_totp),
        name="mfa_activate_totp",
    ),
    path(
        "accounts/factors/app/remove/",
        _own(totp_views.deactivate_totp),
        name="mfa_deactivate_totp",
    ),
    path(
        "accounts/factors/codes/",
        _own(recovery_views.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "accounts/factors/codes/new/",
        _own(recovery_views.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "accounts/factors/codes/download/",
        _own(recovery_views.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path(
        "accounts/factors/keys/",
        _own(key_views.list_webauthn),
        name="mfa_list_webauthn",
    ),
    path(
        "accounts/factors/keys/add/",
        _set_up(key_views.add_webauthn),
        name="mfa_add_webauthn",
    ),
    path(
        "accounts/factors/keys/confirm/",
        _set_up(key_views.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "accounts/factors/keys/<int:pk>/remove/",
        _own(key_views.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path(
        "accounts/factors/keys/<int:pk>/edit/",
        _own(key_views.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path(
        "accounts/sessions/",
        _own(session_views.list_usersessions),
        name="usersessions_list",
    ),
    path("language/", _public(languages.choose_language), name="choose_language"),
    path("session/", roles.polled(_set_up(views.session)), name="session"),
    path("team/", roles.open_to(team.team, _PROVIDER), name="team"),
    path(
        "team/<uuid:account_id>/",
        roles.open_to(team.change_colleague, _PROVIDER),
        name="change_colleague",
    ),
    path(
        "gate/dagster/",
        roles.polled(_public(views.dagster_gate)),
        name="dagster_gate",
    ),
]
