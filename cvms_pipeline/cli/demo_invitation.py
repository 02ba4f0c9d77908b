"""The link of one invitation of the demonstration, ready to be opened.

It is read from the message in the Maildir: nothing else holds it.
"""

import time
from typing import TYPE_CHECKING

import rich.text

from cvms_pipeline.cli import terminal

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import pipelines

_MAX_SECONDS = 15
_POLL_SECONDS = 0.2


def print_invitation(pipeline: "pipelines.Pipeline") -> None:
    """Wait until an invitation has gone out, and print its username and its link."""
    from cvms_pipeline.use_cases.recipients import invitations

    out, deadline = terminal.out(), time.monotonic() + _MAX_SECONDS
    while (found := invitations.find_in_maildir(pipeline)) is None:
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    out.print(rich.text.Text("\nA recipient who is invited", style="bold"))
    if found is None:
        out.print("  No invitation is in the Maildir yet: see `cvms messages`.")
        return
    out.print(rich.text.Text.assemble("  username  ", (found.username, "bold")))
    out.print(f"  {terminal.escape(found.link)}", soft_wrap=True)
