"""The jobs: what is run together for an upload, and what alerts data-ops.

Invitations have a job of their own, so that slow mail never delays an upload; alerts
have one, so that no error of an upload delays the alert about it.  The job `retention`
is in the module of that name.
"""

from typing import Any

import dagster as dg

from cvms_pipeline.defs import assets, partitions, recovery, retention

process_upload = dg.define_asset_job(
    recovery.PROCESS_UPLOAD,
    selection=[assets.recipients, assets.error_report, assets.provider_notice],
    description="Load one upload, write its error report and notify its provider.",
)

send_invitations = dg.define_asset_job(
    "send_invitations",
    selection=[assets.recipient_invitations],
    description="Send the welcome messages of one upload that are due.",
    tags=partitions.MESSAGE_RUN_TAGS,
)

send_notice = dg.define_asset_job(
    "send_notice",
    selection=[assets.provider_notice],
    description="Send one upload's notice that could not be delivered at first.",
    tags=partitions.MESSAGE_RUN_TAGS,
)

send_alerts = dg.define_asset_job(
    "send_alerts",
    selection=[assets.data_ops_alerts],
    description=(
        "Send what is due of no single upload: alerts to data-ops, refused addresses"
        " and delays to providers, messages about accounts, cases and registrations."
    ),
    tags=partitions.MESSAGE_RUN_TAGS,
)

UPLOAD_JOBS = [process_upload, send_invitations, send_notice]
ALL: list[Any] = [*UPLOAD_JOBS, send_alerts, retention.apply_retention]
