"""What invitations and alerts say."""

import datetime as dt
import zoneinfo

from cvms_pipeline.mail import messages

SENDER = "Vaccine Management System <nccvms@dhhs.nc.gov>"


def test_an_invitation_gives_username_link_and_its_end():
    until = dt.datetime(
        2026, 1, 19, 17, 5, tzinfo=zoneinfo.ZoneInfo("America/New_York")
    )

    message = messages.make_invitation(
        to="ann@b.org",
        sender=SENDER,
        message_id="<2@dhhs.nc.gov>",
        first_name="Ann",
        provider="Mercy Hospital",
        username="ann@b.org.COVID19VACCINE",
        link="https://vaccines.example.org/set-password/abc&def",
        valid_until=until,
        spot_url="https://myspot.nc.gov",
    )

    assert message.to == ("ann@b.org",)
    assert message.subject == (
        "Welcome to the North Carolina Vaccine Management COVID-19 Vaccine Portal"
    )
    english, spanish = message.text.split("\n---\n\n")
    assert english == (
        "Hello Ann,\n"
        "\n"
        "Mercy Hospital has registered you for the North Carolina COVID-19 Vaccine\n"
        "Portal. To use the portal, first set your password.\n"
        "\n"
        "Your username: ann@b.org.COVID19VACCINE\n"
        "\n"
        "Set your password here:\n"
        "\n"
        "https://vaccines.example.org/set-password/abc&def\n"
        "\n"
        "The link is valid until January 19, 2026, 5:05 PM EST.\n"
        "\n"
        "An account is not required to be vaccinated. Find a spot near you here:\n"
        "\n"
        "https://myspot.nc.gov\n"
        "\n"
        "If you did not expect this message, you can ignore it. Please do not forward\n"
        "it: whoever has the link can set your password.\n"
        "\n"
        "Vaccine Management System\n"
    )
    assert message.html.count('<div lang="es">') == message.html.count("</div>") == 1
    assert spanish.startswith("Hola, Ann:\n\nMercy Hospital lo ha registrado en")
    assert "\nhttps://vaccines.example.org/set-password/abc&def\n" in spanish
    assert "hasta el 19 de enero de 2026, 5:05 p. m. EST." in spanish
    assert (
        'href="https://vaccines.example.org/set-password/abc&amp;def"' in message.html
    )


def test_an_alert_leads_to_the_dagster_ui():
    message = messages.make_alert(
        to="data-ops@example.org",
        sender=SENDER,
        message_id="<3@dhhs.nc.gov>",
        subject="a run has failed",
        sentences=["The store is away."],
        link="http://127.0.0.1:3000/runs/1",
    )

    assert message.subject == "CVMS upload: a run has failed"
    assert "The store is away." in message.text
    assert "\nhttp://127.0.0.1:3000/runs/1\n" in message.text


def test_a_message_id_is_stable_and_hides_its_purpose():
    made = messages.make_message_id("invitation:ann@b.org", SENDER)

    assert made == messages.make_message_id("invitation:ann@b.org", SENDER)
    assert made != messages.make_message_id("invitation:bob@b.org", SENDER)
    assert made.endswith("@dhhs.nc.gov>")
    assert "ann" not in made
