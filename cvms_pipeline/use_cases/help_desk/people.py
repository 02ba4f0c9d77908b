"""Who does something with a case, as the portal knows them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The owner of an account.

    Attributes:
        account_id: The account's id, which rows and the audit name.
        provider: The slug of the provider whose manager it is; empty for others.
        is_staff: Whether this is somebody of the help desk.
        is_supervisor: Whether this person may approve onboarding and removals.
    """

    account_id: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    provider: str = ""
    is_staff: bool = False
    is_supervisor: bool = False


def describe_author(person: Person) -> dict[str, object]:
    """Return the columns that name the author of an activity."""
    return {
        "author": person.account_id,
        "author_name": person.name,
        "is_staff": person.is_staff,
    }
