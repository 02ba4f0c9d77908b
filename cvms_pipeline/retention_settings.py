"""The settings of retention: how much is kept, and for how long.

Part of `settings.Settings`, which reads them; what they do is `ingest.retention`.
"""

import pydantic
import pydantic_settings


class RetentionSettings(pydantic_settings.BaseSettings):
    """How much of what has finished is kept; the history of uploads stays for good."""

    live_partitions: int = pydantic.Field(
        5_000,
        ge=1,
        le=10_000,
        description=(
            "How many uploads Dagster shows; beyond that the oldest finished ones go,"
            " with their runs. `cvms upload` still knows them."
        ),
        examples=["5000"],
    )
    run_days: int = pydantic.Field(
        30,
        ge=1,
        le=3650,
        description="How many days runs are kept that belong to no shown upload.",
        examples=["30"],
    )
    rejected_rows_days: int = pydantic.Field(
        90,
        ge=1,
        le=3650,
        description=(
            "How many days after an upload has finished its rejected rows and its"
            " error report are kept; their numbers and reasons stay."
        ),
        examples=["90"],
    )
    archive_days: int = pydantic.Field(
        365,
        ge=1,
        le=3650,
        description=(
            "How many days after an upload has finished the received file is kept,"
            " in the archive or in quarantine."
        ),
        examples=["365"],
    )
    work_days: int = pydantic.Field(
        7,
        ge=1,
        le=3650,
        description="How many days the rows of an interrupted run are kept.",
        examples=["7"],
    )
