"""The body of a message: written once as blocks, shown as plain text and as HTML.

Only the two forms and what makes foreign text harmless in them; the words are
`messages`.
"""

import functools
import html
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 78
_NOT_SHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"></head>'
    '<body style="font-family:sans-serif;max-width:40em">{}</body></html>'
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: str

    def as_text(self) -> str:
        """Return the paragraph as lines of text."""
        return _wrapped(one_line(self.text))

    def as_html(self) -> str:
        """Return the paragraph as HTML."""
        return f"<p>{_escaped(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of what it is and its value, a line each."""

    pairs: Sequence[tuple[str, str]]

    def as_text(self) -> str:
        """Return a line `what: value` for each pair."""
        return "\n".join(f"{what}: {one_line(value)}" for what, value in self.pairs)

    def as_html(self) -> str:
        """Return the pairs as HTML, each still readable as `what: value`."""
        lines = (f"{_escaped(w)}: <b>{_escaped(v)}</b>" for w, v in self.pairs)
        return f"<p>{'<br>'.join(lines)}</p>"


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences, each a point of its own."""

    sentences: Sequence[str]

    def as_text(self) -> str:
        """Return the points as text, each behind a dash."""
        return "\n".join(_wrapped(one_line(s), "- ") for s in self.sentences)

    def as_html(self) -> str:
        """Return the points as an HTML list."""
        return f"<ul>{''.join(f'<li>{_escaped(s)}</li>' for s in self.sentences)}</ul>"


@dataclass(frozen=True, slots=True)
class Link:
    """An address of ours to go to."""

    url: str

    def as_text(self) -> str:
        """Return the address, on one line however long."""
        return one_line(self.url)

    def as_html(self) -> str:
        """Return the address as an HTML link."""
        shown = _escaped(self.url)
        return f'<p><a href="{shown}">{shown}</a></p>'


Block = Paragraph | Facts | Points | Link


def as_text(blocks: Sequence[Block]) -> str:
    """Return the body as plain text, with a line break at its end."""
    return "\n\n".join(block.as_text() for block in blocks) + "\n"


def as_html(blocks: Sequence[Block]) -> str:
    """Return the body as an HTML page."""
    return _PAGE.format("\n".join(block.as_html() for block in blocks))


def one_line(text: str) -> str:
    """Return `text` as one line: white space as spaces, control characters as U+FFFD.

    So are halves of surrogate pairs, which nothing can encode, and marks that turn
    the direction of what follows.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character in "\t\n\r\v\f\x85\u2028\u2029":
        return " "
    is_hidden = unicodedata.category(character) in _NOT_SHOWN
    return (
        "\N{REPLACEMENT CHARACTER}"
        if is_hidden or character in _DIRECTION
        else (character)
    )


def _escaped(text: str) -> str:
    return html.escape(one_line(text))


@functools.lru_cache(maxsize=64)  # of the sentences that all messages share
def _wrapped(text: str, first: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
