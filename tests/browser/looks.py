"""What is looked for on a page, whichever it is."""

from typing import Any

from axe_playwright_python import sync_playwright as axe
from playwright import sync_api

_CONTROLS = """() => {
  const found = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary,'
    + '[tabindex="0"]'
  )].filter(each => each.checkVisibility({visibilityProperty: true}));
  const isFirst = each => each.type !== 'radio' || each.checked || !found.some(
    other => other !== each && other.name === each.name && (other.checked || (
      other.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING)));
  window.controls = found.filter(isFirst);
  const name = each => each.getAttribute('aria-label') || each.innerText
    || each.labels?.[0]?.innerText || each.name || each.outerHTML;
  return window.controls.map(each => ({
    name: name(each).trim().replace(/\\s+/g, ' '), isDisabled: each.matches(':disabled')
  }));
}"""
_FOCUSED = """() => {
  const focused = document.activeElement;
  const style = getComputedStyle(focused);
  const size = focused.getBoundingClientRect();
  return {
    number: window.controls.indexOf(focused),
    isSeen: size.width > 0 && size.height > 0 && (style.outlineStyle === 'auto'
      || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
  };
}"""
_WIDEST = """() => {
  const width = document.documentElement.clientWidth;
  const isCut = each => each.closest('.scroll, .hidden, .skip, thead');
  const wide = [...document.body.querySelectorAll('*')].filter(each =>
    each.checkVisibility() && !isCut(each)
    && Math.floor(each.getBoundingClientRect().right) > width);
  return document.documentElement.scrollWidth <= width ? [] :
    wide.map(each => each.outerHTML.slice(0, 120));
}"""

_MAX_STOPS = 4
"""How often the tabulator stops in a control, at most."""


def find_barriers(page: sync_api.Page) -> str:
    """Return what axe has found against WCAG 2.2 and its best practices; "" if none."""
    found = axe.Axe().run(page)
    return found.generate_report() if found.violations_count else ""


def find_unfocused_summary(page: sync_api.Page) -> int:
    """Return how many summaries of errors wait without the focus."""
    return page.locator(".summary:not(:focus)").count()


def find_overflow(page: sync_api.Page) -> list[str]:
    """Return what makes the page scroll sideways."""
    return list(page.evaluate(_WIDEST))


def list_controls(page: sync_api.Page) -> list[str]:
    """Return the names of all that can be used, in the order of the page."""
    return [each["name"] for each in page.evaluate(_CONTROLS)]


def find_keyboard_faults(page: sync_api.Page) -> list[str]:
    """Walk through the page with the tabulator; return what cannot be used so."""
    controls: list[dict[str, Any]] = page.evaluate(_CONTROLS)
    faults = [f"disabled: {each['name']}" for each in controls if each["isDisabled"]]
    page.evaluate("window.controls[0].focus()")  # the link to the content
    order = [0]
    for _ in range(_MAX_STOPS * len(controls)):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        number = focused["number"]
        if number == order[-1]:  # another part of it: a date has three and a button
            continue
        if number in (-1, *order):
            break
        order.append(number)
        if not focused["isSeen"]:
            faults.append(f"focus not seen: {controls[number]['name']}")
    missed = set(range(len(controls))) - set(order)
    faults += [f"not reached: {controls[number]['name']}" for number in sorted(missed)]
    return faults + ([] if order == sorted(order) else [f"out of order: {order}"])


def weigh(requests: list[sync_api.Request]) -> int:
    """Return the bytes of all answers, as they were on the wire."""
    sizes = [each.sizes() for each in requests]
    return sum(s["responseBodySize"] + s["responseHeadersSize"] for s in sizes)
