"""How values look on a page."""

from django import template

register = template.Library()


@register.filter
def count(number: int) -> str:
    """Return a number with commas between thousands."""
    return f"{number:,}"
