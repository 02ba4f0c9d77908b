"""How far a loaded recipient is: invited, with a password, registered."""

import enum


class Step(enum.StrEnum):
    """The state of a recipient, as the provider that has loaded it sees it."""

    NONE = "none"  # there is no invitation
    WAITING = "waiting"  # the newest invitation waits to be sent; so the next three
    SENT = "sent"
    REFUSED = "refused"  # by the mail server, for good
    WITHDRAWN = "withdrawn"
    DENIED = "denied"  # somebody at the address has said that it is not them
    PASSWORD_SET = "password-set"  # noqa: S105 # no password
    REGISTERED = "registered"
