"""A supervisor makes a provider of who has asked for it, or says why not."""

import help_desks
import pytest
from help_desks import MIA, RIA, SAM, SUE

from cvms_pipeline.domain.vocabulary import cases, provider
from cvms_pipeline.store import providers as store_providers
from cvms_pipeline.use_cases import deliver, providers
from cvms_pipeline.use_cases.help_desk import handling, onboarding, opening, reading

ONBOARDING = cases.Kind.ONBOARDING


def ask(site, **facts) -> int:
    """Ask for onboarding; return the case's number."""
    facts = {"kind": ONBOARDING, "file": None, **facts}
    return help_desks.open_case(site, **facts).number


def approve(site, number, *, slug="elm-clinic", by=SUE, version=1, accounts=None):
    def add_account(slug, case):
        if accounts is not None:
            accounts.append((slug, case.requester_email))

    onboarding.approve(
        site.pipeline,
        number,
        slug=slug,
        by=by,
        version=version,
        add_account=add_account,
    )


def subjects(site) -> list[str]:
    deliver.send_alerts(site.pipeline)
    return [mail["Subject"] for mail in site.mail() if mail["To"] == RIA.email]


def test_approving_makes_provider_folders_and_account_and_tells_the_requester(site):
    number, accounts = ask(site), []

    approve(site, number, accounts=accounts)

    made = providers.get_provider(site.pipeline, "elm-clinic")
    assert (made.facts.name, made.facts.vfc_pin) == ("Elm Clinic", "NCA765432")
    assert made.facts.emails == (RIA.email,)
    assert all(folder.is_dir() for folder in made.lanes.values())
    assert accounts == [("elm-clinic", RIA.email)]
    seen = reading.get_own_case(site.pipeline, number, by=RIA)
    assert (seen.state, seen.provider) == (cases.State.RESOLVED, "elm-clinic")
    assert len(subjects(site)) == 2
    with pytest.raises(onboarding.NotOnboarding):
        approve(site, number, slug="other")


def test_after_a_crash_before_the_account_it_is_approved_again(site):
    number, accounts = ask(site), []

    with pytest.raises(ZeroDivisionError):
        onboarding.approve(
            site.pipeline,
            number,
            slug="elm",
            by=SUE,
            version=1,
            add_account=lambda *_: 1 / 0,
        )
    assert help_desks.look(site, number).state is cases.State.NEW
    with pytest.raises(onboarding.NotOnboarding):
        approve(site, number, slug="other", accounts=accounts)
    approve(site, number, slug="elm", accounts=accounts)

    assert accounts == [("elm", RIA.email)]
    assert [each.slug for each in providers.list_providers(site.pipeline)] == [
        "elm",
        "mercy",
    ]
    assert len(subjects(site)) == 2


def test_nobody_becomes_a_provider_without_a_supervisor_a_free_pin_and_slug(site):
    number = ask(site, vfc_pin="NCA123456")  # mercy's
    other = ask(site, vfc_pin="VAC2021")
    upload_case = help_desks.open_case(site).number

    with pytest.raises(onboarding.ForSupervisors):
        approve(site, other, by=SAM)
    with pytest.raises(onboarding.PinTaken):
        approve(site, number)
    with pytest.raises(store_providers.ProviderExists):
        approve(site, other, slug="mercy")
    with pytest.raises(provider.SlugInvalid):
        approve(site, other, slug="Elm Clinic")
    with pytest.raises(handling.StaleCase):
        approve(site, other, version=7)
    with pytest.raises(onboarding.NotOnboarding):
        approve(site, upload_case)
    assert onboarding.is_pin_taken(site.pipeline, "NCA123456")
    assert not onboarding.is_pin_taken(site.pipeline, "VAC2021")
    of_provider = help_desks.ask(MIA, kind=ONBOARDING, file=None)
    problems = opening.check_request(site.pipeline, of_provider, by=MIA)
    assert [each.field for each in problems] == ["kind"]

    approve(site, other, slug=onboarding.suggest_slug(site.pipeline, "Mercy"))
    approve(site, ask(site, vfc_pin="vac2021 "), slug="third")

    slugs = [each.slug for each in providers.list_providers(site.pipeline)]
    assert slugs == ["mercy", "mercy-2", "third"]


def test_a_refusal_has_a_reason_that_the_requester_reads_and_no_mail_holds(site):
    number = ask(site)

    onboarding.refuse(
        site.pipeline, number, reason="No licence yet.", by=SUE, version=1
    )

    seen = reading.get_own_case(site.pipeline, number, by=RIA)
    assert seen.state is cases.State.RESOLVED
    assert seen.activity[-1].action is cases.Action.ONBOARDING_REFUSED
    assert seen.activity[-1].text == "No licence yet."
    assert len(subjects(site)) == 2
    assert not any("licence" in mail.as_string() for mail in site.mail())
    with pytest.raises(onboarding.ForSupervisors):
        onboarding.refuse(site.pipeline, number, reason="x", by=SAM, version=2)
    with pytest.raises(onboarding.NotOnboarding):
        onboarding.refuse(site.pipeline, number, reason="x", by=SUE, version=2)
