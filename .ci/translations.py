"""Collects what the pages say, for the Spanish of it, and compiles that.

`make translations` adds to `django.po` each text that is marked in a template or module
of the portal, drops those that are gone, and writes `django.mo`, which Django reads.
Both are committed: nothing has to be compiled where the portal runs.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import catalog, extract, mofile, pofile
from django.utils.translation import template

ROOT = Path(__file__).parents[1]
PORTAL = ROOT / "cvms_pipeline" / "portal"
TEXTS = PORTAL / "locale" / "es" / "LC_MESSAGES" / "django.po"
COMPILED = TEXTS.with_suffix(".mo")

_CALLS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
"""The functions whose text is translated, as Babel describes them."""

_PLURALS = ("Plural-Forms", "nplurals=2; plural=(n != 1);")
_KEPT = re.compile(r"</?\w+|%\(\w+\)s|\[N\]")
"""Tags, values, and the place of a value that a script puts in."""


class Texts(catalog.Catalog):
    """All texts with their Spanish, without the dates of when a program has run."""

    def __init__(self) -> None:
        """Begin with none."""
        comment = "# What the pages say, in Spanish; see `make translations`."
        super().__init__(locale="es", header_comment=comment, fuzzy=False)
        # As Django and allauth count in Spanish, not as Unicode does.
        catalog.Catalog.mime_headers.fset(self, [_PLURALS])

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What Django has to know, and no date."""
        return [
            ("Language", "es"),
            _PLURALS,
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def collect() -> Texts:
    """Return every text that is marked, with the Spanish that there is."""
    with TEXTS.open("rb") as file:
        known = pofile.read_po(file, locale="es")
    texts = Texts()
    for path in sorted(PORTAL.rglob("*")):
        for text, context in _find_texts(path):
            before = known.get(text, context)
            texts.add(
                text,
                before.string if before else "",
                locations=[(str(path.relative_to(ROOT)), 1)],
                context=context,
            )
    return texts


def _find_texts(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    if path.suffix == ".py":
        source = path.read_text("utf-8")
    elif path.suffix in (".html", ".txt"):
        lines = template.templatize(path.read_text("utf-8")).splitlines()
        source = "\n".join(line.lstrip() for line in lines)
    else:
        return
    file = io.BytesIO(source.encode())
    for _, text, _, context in extract.extract("python", file, keywords=_CALLS):
        yield text, context


def render(texts: Texts) -> bytes:
    """Return what `django.po` has to be."""
    file = io.BytesIO()
    pofile.write_po(file, texts, width=88, include_lineno=False, sort_output=True)
    return file.getvalue()


def compile_(texts: Texts) -> bytes:
    """Return what `django.mo` has to be."""
    file = io.BytesIO()
    mofile.write_mo(file, texts)
    return file.getvalue()


def find_faults(texts: Texts) -> list[str]:
    """Return what is not said in Spanish, or not with the same values and tags."""
    faults = []
    for message in texts:
        english, *others = list_forms(message.id) + list_forms(message.string)
        if english and not all(others):
            faults.append(f"no Spanish: {english}")
        elif any(_list_kept(each) != _list_kept(english) for each in others):
            faults.append(f"other values or tags: {english}")
    return faults


def list_forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the singular and the plural, if there is one."""
    return (text,) if isinstance(text, str) else text


def _list_kept(text: str) -> list[str]:
    """Return what a translation has to keep."""
    return sorted(_KEPT.findall(text))


def main() -> int:
    """Write both files; return 1 if some Spanish is missing, and say which."""
    texts = collect()
    TEXTS.write_bytes(render(texts))
    COMPILED.write_bytes(compile_(texts))
    faults = find_faults(texts)
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return min(len(faults), 1)


if __name__ == "__main__":
    sys.exit(main())
