"""The cases of the demonstration: one of each kind, for the queue of the help desk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cvms_pipeline.cli import samples

if TYPE_CHECKING:
    from cvms_pipeline.cli import accounts
    from cvms_pipeline.use_cases import pipelines

_CLINIC = {"vfc_pin": "NCA700001", "organisation": "Harbor Clinic (sample)"}
_HOSPITAL = {"vfc_pin": "VAC2021", "organisation": samples.PROVIDERS[samples.HOSPITAL]}


def open_cases(
    pipeline: "pipelines.Pipeline", made: "Sequence[accounts.DemoAccount]", edition: str
) -> Sequence[str]:
    """Open a case of each kind; return their numbers.

    `edition` is the word of this demonstration; again with it, nothing is opened.
    """
    from cvms_pipeline.domain.vocabulary import cases

    rosa = next(each for each in made if each.role == "requester")
    ann = next(each for each in made if each.role == "provider")
    numbers = [
        _open(pipeline, rosa, edition, kind=cases.Kind.BULK_UPLOAD, **_CLINIC),
        _open(pipeline, rosa, edition, kind=cases.Kind.ONBOARDING, **_CLINIC),
        _open(pipeline, ann, edition, kind=cases.Kind.REMOVAL, **_HOSPITAL),
    ]
    return [cases.format_number(number) for number in numbers]


def _open(
    pipeline: "pipelines.Pipeline",
    account: "accounts.DemoAccount",
    edition: str,
    **facts: Any,
) -> int:
    from cvms_pipeline.domain.vocabulary import cases
    from cvms_pipeline.use_cases.help_desk import opening, people

    kind, file, recipient = facts["kind"], None, None
    if kind is cases.Kind.BULK_UPLOAD:
        data = _find_sample().read(edition)
        file = opening.AttachedFile(file_name=samples.EVERY_REASON, data=data)
    if kind is cases.Kind.REMOVAL:
        recipient = _find_recipient(pipeline, account.provider)
    request = opening.Request(
        name=account.name,
        email=account.email,
        details="A request of the demonstration.",
        file=file,
        recipient_id=recipient,
        **facts,
    )
    person = people.Person(
        account_id=account.id,
        name=account.name,
        email=account.email,
        provider=account.provider,
    )
    key = f"demonstration {edition} {kind}"
    return opening.open_case(pipeline, request, by=person, key=key).number


def _find_sample() -> samples.Sample:
    named = (s for s in samples.load_samples() if s.file_name == samples.EVERY_REASON)
    return next(named)


def _find_recipient(pipeline: "pipelines.Pipeline", provider: str) -> str | None:
    """Return the id of somebody whom the samples have loaded."""
    from cvms_pipeline.use_cases.provider_actions import loaded_recipients

    wanted = loaded_recipients.Wanted(provider=provider)
    page = loaded_recipients.list_recipients(pipeline, wanted)
    return page.recipients[0].id if page.recipients else None
