"""The stage of a log-in that asks for a second factor."""

from allauth.mfa import stages
from django import http

from cvms_pipeline.portal.single_sign_on import claims


class SecondFactor(stages.AuthenticateStage):
    """Asks everybody who has one, but not whom single sign-on has asked already."""

    def _should_handle(self, request: http.HttpRequest) -> bool:
        if claims.prove_second_factor(self.login.signal_kwargs or {}):
            return False
        return bool(super()._should_handle(request))
