"""The jobs: what is run together for an upload.

Invitations are a job of their own, so that slow mail never holds up an upload.
"""

import dagster as dg

from cvms_pipeline.defs import assets, partitions

_MESSAGES = {
    partitions.PURPOSE_TAG: "messages",
    partitions.PRIORITY_TAG: str(partitions.INVITATION_PRIORITY),
}

process_upload = dg.define_asset_job(
    "process_upload",
    selection=dg.AssetSelection.assets(
        assets.recipients, assets.error_report, assets.provider_notice
    ),
    description="Load one upload, write its error report and tell its provider.",
)

send_invitations = dg.define_asset_job(
    "send_invitations",
    selection=dg.AssetSelection.assets(assets.recipient_invitations),
    description="Send the welcome messages of one upload that are due.",
    tags=_MESSAGES,
)

send_notice = dg.define_asset_job(
    "send_notice",
    selection=dg.AssetSelection.assets(assets.provider_notice),
    description="Send one upload's notice that could not be delivered at first.",
    tags=_MESSAGES,
)

ALL = [process_upload, send_invitations, send_notice]
