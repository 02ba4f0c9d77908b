"""Withdrawing an upload: by its provider, or by staff.

What the database does is `store.chain.withdrawals`; the receipt says so afterwards.
"""

import contextlib

from cvms_pipeline import errors
from cvms_pipeline.store.chain import withdrawals
from cvms_pipeline.use_cases import history, pipelines, publish

NotWithdrawable = withdrawals.NotWithdrawable


def withdraw(
    pipeline: pipelines.Pipeline,
    upload_id: str,
    *,
    why: str,
    provider: str | None = None,
) -> history.Upload:
    """Withdraw an upload as a whole, while all of its invitations wait.

    The people whom it has loaded are taken out, its corrections are undone, and nobody
    is invited; rows of earlier uploads that it has brought back are outstanding again.

    Args:
        pipeline: The pipeline.
        upload_id: The upload.
        why: A word that says why; kept with the upload, and not in the audit.
        provider: The provider that does it; None for staff.

    Raises:
        UploadUnknown: If there is no such upload of the provider.
        NotWithdrawable: If somebody may have been invited, or nobody was loaded.
        WhyMissing: If `why` says nothing.
    """
    parents = history.get_upload(pipeline, upload_id, provider=provider).parents
    with pipeline.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why=why, now=pipeline.now())
    with contextlib.suppress(errors.CvmsError):  # a repeated run writes it, too
        publish.publish(pipeline, upload_id)
        publish.update_receipts(pipeline, parents)  # it is no child of theirs any more
    return history.get_upload(pipeline, upload_id)


def can_withdraw(pipeline: pipelines.Pipeline, found: history.Upload) -> bool:
    """Return whether an upload can still be withdrawn, as far as one can see now."""
    if not found.loaded or found.withdrawn_at is not None:
        return False
    with pipeline.store.begin() as conn:
        return withdrawals.can_withdraw(conn, found.id)
