"""All that pages say to recipients is said in Spanish, too, and formally."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PORTAL = ROOT / "cvms_pipeline" / "portal"

_SPEC = importlib.util.spec_from_file_location(
    "translations", ROOT / ".ci" / "translations.py"
)
translations = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(translations)

ENGLISH_ALONE = {
    "accounts/templates/accounts/data_ops.html",
    "accounts/templates/accounts/team.html",
}
"""Pages of accounts that are no recipients'; so are those of providers and of staff."""

BILINGUAL = sorted(
    str(path.relative_to(PORTAL))
    for path in [
        *PORTAL.glob("site/templates/**/*.*"),
        *PORTAL.glob("accounts/templates/**/*.*"),
        *PORTAL.glob("recipient/templates/**/*.*"),
        *PORTAL.glob("help_desk/templates/help_desk/regist*.html"),
    ]
    if str(path.relative_to(PORTAL)) not in ENGLISH_ALONE
)

_MARKED = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}", re.DOTALL)
_CODE = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}|<script.*?</script>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPOKEN = re.compile(r'(?:aria-label|alt|title|placeholder)="([^"]*)"')
_INFORMAL = re.compile(r"\b(tú|tu|tus|te|puedes|tienes|debes|quieres|ingresa|haz)\b")


def _find_bare_words(text):
    """Return the words of a template that are not marked to be translated."""
    left = _CODE.sub("", _MARKED.sub("", text))
    spoken = " ".join(_SPOKEN.findall(left))
    return re.findall(r"[A-Za-z]{2,}", f"{spoken} {_TAG.sub(' ', left)}")


def test_every_text_has_a_spanish_one_with_its_values_and_tags():
    assert translations.find_faults(translations.collect()) == []


def test_the_spanish_is_that_of_the_pages_as_they_are():
    texts = translations.collect()

    assert translations.TEXTS.read_bytes() == translations.render(texts)


def test_what_is_compiled_is_what_is_written():
    texts = translations.collect()

    assert translations.COMPILED.read_bytes() == translations.compile_(texts)


def test_spanish_that_is_missing_or_has_lost_a_value_or_a_tag_is_told():
    texts = translations.Texts()
    texts.add("Log in", "")
    texts.add("%(left)s are left.", "Quedan.")
    texts.add("<strong>Now</strong>", "Ahora")

    faults = translations.find_faults(texts)

    assert faults == [
        "no Spanish: Log in",
        "other values or tags: %(left)s are left.",
        "other values or tags: <strong>Now</strong>",
    ]


@pytest.mark.parametrize("template", BILINGUAL)
def test_no_word_of_a_template_is_left_in_english(template):
    assert _find_bare_words((PORTAL / template).read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text", ["<p>Home</p>", '<nav aria-label="Main">', "{% if a %}Yes{% endif %}"]
)
def test_a_bare_word_is_found(text):
    assert _find_bare_words(text) != []


def test_recipients_are_addressed_formally():
    spoken = [
        form
        for message in translations.collect()
        for form in translations.list_forms(message.string)
    ]

    assert [text for text in spoken if _INFORMAL.search(text.lower())] == []
