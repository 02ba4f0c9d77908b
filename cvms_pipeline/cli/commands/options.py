"""Options that several commands have."""

from typing import Annotated

import typer

from cvms_pipeline.domain import upload

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace the file if there is one.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]
UploadId = Annotated[str, typer.Argument(metavar="ID", help="The upload's id.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The provider's slug.")]
AnyLane = Annotated[
    upload.Lane | None,
    typer.Option("--lane", help="Default: the smallest lane that takes the file."),
]
Lane = Annotated[
    upload.Lane, typer.Option("--lane", help="Up to 100 rows, or up to 5,000.")
]
