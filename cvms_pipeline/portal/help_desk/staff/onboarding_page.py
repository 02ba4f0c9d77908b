"""Onboarding of a location: a supervisor makes a provider of it, or refuses."""

from collections.abc import Mapping

from django import http
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import provider
from cvms_pipeline.portal.accounts import administration
from cvms_pipeline.portal.help_desk.staff import desk_forms, handling_page
from cvms_pipeline.use_cases import pipelines, providers
from cvms_pipeline.use_cases.help_desk import onboarding, people, reading

_REFUSALS: Mapping[type[Exception], str] = {
    onboarding.ForSupervisors: "Only a supervisor may decide this.",
    onboarding.PinTaken: (
        "Another provider has this VFC PIN already, so nothing was made. Ask the"
        " requester which PIN is meant."
    ),
    onboarding.NotOnboarding: "This request has been decided already.",
    providers.ProviderExists: "Another provider has this short name. Choose another.",
    provider.ProviderInvalid: (
        "Use lower-case letters, digits and hyphens, such as mercy-hospital."
    ),
}


@methods.require_POST
def approve(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Make the provider with its folders and its first account."""
    done = "The provider is added, and the requester is told."
    return handling_page.save(
        request, number, "onboard_form", _approve, done, refusals=_REFUSALS
    )


@methods.require_POST
def refuse(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Refuse the onboarding with a reason."""
    done = "The onboarding is refused, and the requester is told."
    return handling_page.save(
        request, number, "refuse_form", _refuse, done, refusals=_REFUSALS
    )


def _approve(
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    form: desk_forms.OnboardForm,
    person: people.Person,
) -> None:
    def add_account(slug: str, case: reading.Case) -> None:
        administration.add_first_manager(
            pipeline, slug, asked_by=case.requester, address=case.requester_email
        )

    onboarding.approve(
        pipeline,
        found.number,
        slug=form.cleaned_data["slug"],
        by=person,
        version=form.cleaned_data["version"],
        add_account=add_account,
    )


def _refuse(
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    form: desk_forms.RefuseForm,
    person: people.Person,
) -> None:
    onboarding.refuse(
        pipeline,
        found.number,
        reason=form.cleaned_data["reason"],
        by=person,
        version=form.cleaned_data["version"],
    )
