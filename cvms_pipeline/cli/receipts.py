"""What `cvms upload ID --receipt CODE` says about a printed receipt."""

from typing import TYPE_CHECKING

import typer

from cvms_pipeline.cli import terminal

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import history, pipelines


def verify(
    pipeline: "pipelines.Pipeline", found: "history.Upload", code: str, *, as_json: bool
) -> None:
    """Say whether the code is that of the upload's receipt; exit with 1 if not."""
    from cvms_pipeline.use_cases.provider_actions import receipts

    is_genuine = receipts.is_genuine(pipeline, found, code)
    if as_json:
        terminal.print_json({"id": found.id, "is_genuine": is_genuine})
    elif is_genuine:
        terminal.print_line(
            f"This receipt is genuine: {found.rows:,} rows in the file,"
            f" {found.loaded:,} loaded, {found.rejected:,} rejected; SHA-256"
            f" {found.sha256 or 'none'}."
        )
    else:
        terminal.print_error(
            f"This is not the check code of the upload {found.id} as it is recorded."
            " Compare the code and the id with the receipt."
        )
    if not is_genuine:
        raise typer.Exit(terminal.FAILED)
