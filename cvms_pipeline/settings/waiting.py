"""The settings that say how long something may wait before somebody is told."""

from cvms_pipeline.settings import variables


class Delays(variables.Group):
    """When a provider is told that an upload takes long, and when people are."""

    told_minutes: float = variables.field(
        "CVMS_DELAYED_MINUTES", 5.0, example="5", gt=0, le=100_000
    )
    """When an upload has no outcome after so long, its receipt says that it is
    delayed."""

    mailed_minutes: float = variables.field(
        "CVMS_DELAY_MAIL_MINUTES", 60.0, example="60", gt=0, le=100_000
    )
    """When it has none after so long, its provider gets an e-mail, once."""

    invitation_minutes: float = variables.field(
        "CVMS_INVITATION_DELAY_MINUTES", 10.0, example="10", ge=0, le=60
    )
    """So long the invitations of an upload that was sent in the portal wait. Until then
    its provider can withdraw it. Those of dropped files go out at once."""

    case_hours: float = variables.field(
        "CVMS_CASE_HOURS", 24.0, example="24", gt=0, le=10_000
    )
    """When a case of the help desk has waited for an answer of staff for so long, it
    is overdue."""


class Health(variables.Group):
    """The limits beyond which `cvms status` warns."""

    warning_minutes: int = variables.field(
        "CVMS_WARNING_MINUTES", 10, example="10", ge=1, le=100_000
    )
    """When an upload, a file or a message has waited for so long, `cvms status`
    warns."""

    critical_minutes: int = variables.field(
        "CVMS_CRITICAL_MINUTES", 60, example="60", ge=1, le=100_000
    )
    """When it has waited for so long, that is critical."""

    warning_free_percent: float = variables.field(
        "CVMS_WARNING_FREE_PERCENT", 10.0, example="10", ge=0, le=100
    )
    """When less of a disk than this is free, `cvms status` warns."""

    critical_free_percent: float = variables.field(
        "CVMS_CRITICAL_FREE_PERCENT", 5.0, example="5", ge=0, le=100
    )
    """When less than this is free, that is critical."""
