"""The addresses of the provider's pages."""

from django.urls import path

from cvms_pipeline.portal.accounts import models, roles
from cvms_pipeline.portal.provider import (
    bulk,
    corrections,
    recipients,
    reviewing,
    upload_page,
    uploads,
)


def _own(view: roles.View) -> roles.View:
    return roles.open_to(view, models.Role.PROVIDER)


def _followed(view: roles.View) -> roles.View:
    """Return the view as pages ask for it by themselves while something goes on."""
    return roles.polled(_own(view))


_REVIEW = "bulk/review/<str:review_id>/"

urlpatterns = [
    path("bulk/", _own(bulk.low_volume), name="bulk"),
    path("bulk/high-volume/", _own(bulk.high_volume), name="bulk_high"),
    path("bulk/template.csv", _own(bulk.download_template), name="bulk_template"),
    path(_REVIEW, _own(reviewing.show_review), name="review"),
    path(f"{_REVIEW}create/", _own(reviewing.create), name="create_records"),
    path(f"{_REVIEW}cancel/", _own(reviewing.cancel), name="cancel_review"),
    path(
        f"{_REVIEW}high-volume/",
        _own(reviewing.send_to_high_volume),
        name="review_to_high_volume",
    ),
    path("bulk/sent/<str:upload_id>/", _own(reviewing.show_sent), name="sent"),
    path(
        "bulk/sent/<str:upload_id>/live/",
        _followed(reviewing.show_sent),
        name="sent_live",
    ),
    path("uploads/", _own(uploads.list_uploads), name="uploads"),
    path("uploads/<str:upload_id>/", _own(upload_page.show_upload), name="upload"),
    path(
        "uploads/<str:upload_id>/live/",
        _followed(upload_page.show_upload),
        name="upload_live",
    ),
    path(
        "uploads/<str:upload_id>/BulkError.csv",
        _own(upload_page.download_report),
        name="error_report",
    ),
    path(
        "uploads/<str:upload_id>/receipt/",
        _own(upload_page.show_receipt),
        name="receipt",
    ),
    path(
        "uploads/<str:upload_id>/correct/",
        _own(corrections.correct_rows),
        name="correct_rows",
    ),
    path(
        "uploads/<str:upload_id>/withdraw/",
        _own(corrections.withdraw_upload),
        name="withdraw",
    ),
    path("outstanding/", _own(corrections.list_outstanding), name="outstanding"),
    path("recipients/", _own(recipients.list_recipients), name="recipients"),
    path(
        "recipients/to-correct/",
        _own(recipients.list_to_correct),
        name="to_correct",
    ),
    path(
        "recipients/<uuid:recipient_id>/",
        _own(recipients.show_recipient),
        name="recipient",
    ),
    path(
        "recipients/<uuid:recipient_id>/resend/",
        _own(recipients.resend),
        name="resend_invitation",
    ),
]
