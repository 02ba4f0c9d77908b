"""The kinds of messages.  Only their names; `store.outbox` queues the messages."""

import enum


class Kind(enum.StrEnum):
    """To whom a message is sent."""

    NOTICE = "notice"  # to the provider
    INVITATION = "invitation"  # to a recipient
    ALERT = "alert"  # to data-ops
    REFUSED_ADDRESSES = "refused-addresses"  # to the provider, at most once a day
    ACCOUNT = "account"  # to the owner of an account of the portal
    DELAY = "delay"  # to the provider, once for each upload that takes very long
    CASE = "case"  # to who has opened a case, and to the help desk
    RECIPIENT = "recipient"  # to a recipient who was invited before
