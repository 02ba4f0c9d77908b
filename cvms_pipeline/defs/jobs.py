"""The jobs: what is run together for an upload, and what tells data-ops.

Invitations are a job of their own, so that slow mail never holds up an upload; so are
alerts, so that nothing that is wrong with an upload holds up what tells of it.
"""

import dagster as dg

from cvms_pipeline.defs import assets, partitions

_MESSAGES = {
    partitions.PURPOSE_TAG: partitions.MESSAGES,
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

send_alerts = dg.define_asset_job(
    "send_alerts",
    selection=dg.AssetSelection.assets(assets.data_ops_alerts),
    description="Send data-ops the alerts that are due, about whatever they are.",
    tags=_MESSAGES,
)

OF_UPLOADS = [process_upload, send_invitations, send_notice]
