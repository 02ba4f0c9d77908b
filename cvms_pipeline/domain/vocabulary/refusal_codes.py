"""What a mail server means that refuses a message permanently, in words.

The meanings are those of RFC 5321, section 4.2.3, and RFC 7504; the server's own words
may hold an address and are not stored.  Imports no library, because commands use it.
"""

from collections.abc import Mapping

_MEANINGS: Mapping[str, str] = {
    "SMTP 550": "the mail server knows no such mailbox, or accepts no mail for it",
    "SMTP 551": "the mailbox is on another mail server",
    "SMTP 552": "the mailbox is full",
    "SMTP 553": "the mail server does not accept the address as it is written",
    "SMTP 554": "the mail server does not accept this mail",
    "SMTP 556": "the domain after the @ accepts no mail",
}
_OTHER = "the mail server does not accept the mail"


def describe_refusal(error: str) -> str:
    """Return what `error`, such as `SMTP 550`, means, with the code itself."""
    return f"{_MEANINGS.get(error, _OTHER)} ({error})"
