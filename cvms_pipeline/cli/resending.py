"""`cvms resend`: refused messages go out again, by the next run that sends.

Which messages may, and where they go, is `store.resending`.
"""

from collections.abc import Sequence

from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.store import resending


def resend(
    settings: settings_.Settings, message_ids: Sequence[str], *, as_json: bool
) -> None:
    """Make refused messages due again, all or none, and say so."""
    ids = list(dict.fromkeys(message_ids))
    with access.opened(settings) as store, store.begin() as conn:
        resending.resend(
            conn, ids, now=settings_.now(), data_ops=settings.data_ops_email
        )
    if as_json:
        terminal.print_json({"resent": ids})
        return
    what = "1 message is" if len(ids) == 1 else f"{len(ids):,} messages are"
    terminal.out().print(f"{what} to be sent again; see `cvms messages --unsent`.")
