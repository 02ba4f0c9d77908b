"""From the message to *Enrolled*: on a telephone, by keyboard, in Spanish, unscripted.

With a pause in between, and a session that is lost on the last page with fields.
"""

import invited
import pytest
from django.contrib.sessions.models import Session

from cvms_pipeline.use_cases.recipients import registration
from tests.browser import looks

PHONE = {"width": 375, "height": 667}
_MOST_STOPS = 80
_IS_FOCUSED = "what => document.activeElement.matches(what)"


class Fingers:
    """Somebody who uses the keyboard alone."""

    def __init__(self, tab):
        self.tab = tab

    def reach(self, what):
        for _ in range(_MOST_STOPS):
            self.tab.keyboard.press("Tab")
            if self.tab.evaluate(_IS_FOCUSED, what):
                return
        pytest.fail(f"the tabulator does not reach {what}")

    def type(self, **typed):
        for name, text in typed.items():
            self.reach(f"[name={name}]")
            self.tab.keyboard.type(text)

    def choose(self, **places):
        """Choose by the place among the choices, of which one has the focus first."""
        for name, place in places.items():
            self.reach(f"[name={name}]")
            self.tab.keyboard.press("Space")
            for _ in range(place):
                self.tab.keyboard.press("ArrowDown")

    def go(self, what):
        self.reach(what)
        with self.tab.expect_navigation():
            self.tab.keyboard.press("Enter")
        assert looks.find_overflow(self.tab) == []
        assert self.tab.locator("html").get_attribute("lang") == "es"

    @property
    def heading(self):
        return self.tab.locator("h1").inner_text()

    @property
    def text(self):
        return self.tab.inner_text("main")


@pytest.fixture
def rosa(visitor):
    return visitor(viewport=PHONE, locale="es-US", java_script_enabled=False)


def _log_in(fingers):
    fingers.type(login=invited.USERNAME, password=invited.PASSWORD)
    fingers.go("main button[type=submit]")


def _lose_session(fingers, rosa):
    """Send the form of a session that has ended; go on where it was left."""
    Session.objects.all().delete()
    fingers.go("[value=next]")
    assert fingers.heading == "Se cerró su sesión"
    with rosa.context.expect_page() as opened:
        fingers.reach("main a[target]")
        fingers.tab.keyboard.press("Enter")
    opened.value.wait_for_load_state()
    _log_in(Fingers(opened.value))
    fingers.go("main button[type=submit]")
    assert fingers.heading == "Esta página estuvo abierta demasiado tiempo"
    fingers.go("main button[type=submit]")


def test_a_recipient_registers_from_the_message_to_enrolled(site, rosa):
    path = invited.invite(site)
    fingers = Fingers(rosa.page)
    rosa.open(path)
    fingers.type(
        username=invited.USERNAME, password=invited.PASSWORD, again=invited.PASSWORD
    )
    fingers.go("main button[type=submit]")
    assert fingers.heading == "Le damos la bienvenida, Ann"
    assert "Sin inscripción" in fingers.text

    fingers.go("main a.button")
    fingers.go("[value=next]")
    fingers.type(phone="9195550123", address_1="12 Canary Lane")
    fingers.go("[value=pause]")
    assert "Su registro está en pausa" in fingers.text
    fingers.go("header .log-out button")
    rosa.open("/accounts/login/")
    _log_in(fingers)

    fingers.go("main a.button")
    assert "Esto es lo que había escrito" in fingers.text
    fingers.type(city="Durham", state="North C", zip="27701", county="Durham")
    fingers.choose(sex=1, races=0, ethnicity=0)
    fingers.choose(vaccine_group=4)
    rosa.page.locator("[name=action][value=en]").press("Enter")
    assert rosa.page.locator("html").get_attribute("lang") == "en"
    fingers.go("[name=action][value=es]")
    assert rosa.page.locator("[name=city]").input_value() == "Durham"
    _lose_session(fingers, rosa)
    assert "Revise sus respuestas" in fingers.text
    assert "919-555-0123" in fingers.text
    fingers.go("[value=send]")

    assert fingers.heading == "Su registro está completo"
    assert "Todavía no tiene una cita." in fingers.text
    fingers.go("main a.primary")
    assert "Inscripción completa" in fingers.text
    answers = registration.get_answers(site.pipeline, invited.find_id(site))
    assert (answers.state, answers.language) == ("NC", "spanish")
    assert answers.vaccine_group == "Group 5: Everyone else"
