"""The settings of health: when something is told of as wrong, and where to ask.

Part of `settings.Settings`, which reads them; what they do is `ingest.health`.
"""

import ipaddress
from typing import Annotated

import pydantic
import pydantic_settings


def _off_if_empty(value: object) -> object:
    return 0 if value == "" else value


_Port = Annotated[int | None, pydantic.BeforeValidator(_off_if_empty)]


class HealthSettings(pydantic_settings.BaseSettings):
    """From when on `cvms status` warns, and where Prometheus can ask."""

    metrics_host: ipaddress.IPv4Address = pydantic.Field(
        ipaddress.IPv4Address("127.0.0.1"),
        description=(
            "The address on which the metrics are told; anything but 127.0.0.1 only"
            " where nobody else reaches it, such as the network of containers."
        ),
        examples=["127.0.0.1"],
    )
    metrics_port: _Port = pydantic.Field(
        None,
        ge=0,
        le=65535,
        description=(
            "The port of the metrics for Prometheus; 0 or nothing after the = is off;"
            " default: two above the UI's port, so 3002."
        ),
        examples=["3002"],
    )
    warning_minutes: int = pydantic.Field(
        10,
        ge=1,
        le=100_000,
        description=(
            "When an upload, a file or a message has waited for so long, `cvms"
            " status` warns."
        ),
        examples=["10"],
    )
    critical_minutes: int = pydantic.Field(
        60,
        ge=1,
        le=100_000,
        description="When it has waited for so long, that is critical.",
        examples=["60"],
    )
    warning_free_percent: float = pydantic.Field(
        10.0,
        ge=0,
        le=100,
        description="When less of a disk than this is free, `cvms status` warns.",
        examples=["10"],
    )
    critical_free_percent: float = pydantic.Field(
        5.0,
        ge=0,
        le=100,
        description="When less than this is free, that is critical.",
        examples=["5"],
    )
