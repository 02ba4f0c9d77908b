"""Somebody with a browser, as far as HTTP goes: cookies, forms and their tokens."""

import http.cookiejar
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was answered, after all redirects."""

    status: int
    url: str
    text: str


class Session:
    """One browser profile."""

    def __init__(self, base: str, trust: ssl.SSLContext | None = None) -> None:
        self._base = base
        self._page = ""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        secure = urllib.request.HTTPSHandler(context=trust)
        self._opener = urllib.request.build_opener(jar, secure)

    def get(self, url: str, **headers: str) -> Page:
        """Open a page; `url` may be a path of the portal."""
        return self._ask(url, None, headers)

    def post(self, url: str, **typed: str) -> Page:
        """Send a form of the page that was opened last."""
        tokens = _TOKEN.findall(self._page)
        typed |= {"csrfmiddlewaretoken": tokens[0]} if tokens else {}
        return self._ask(url, urllib.parse.urlencode(typed).encode(), {})

    def post_from_elsewhere(self, url: str, **typed: str) -> Page:
        """Send a form of another site: with `SameSite=Lax`, no cookie goes along.

        Redirects that follow are asked for with cookies.
        """
        self._page = ""
        data = urllib.parse.urlencode(typed).encode()
        headers = {"Origin": "https://elsewhere.example.org", "Cookie": "nothing=kept"}
        return self._ask(url, data, headers)

    def send(self, url: str, data: bytes, **headers: str) -> Page:
        """Send something as a script of the page would."""
        return self._ask(url, data, headers)

    def _ask(self, url: str, data: bytes | None, headers: dict[str, str]) -> Page:
        full = urllib.parse.urljoin(self._base, url)
        origin = "/".join(full.split("/")[:3])
        sent = {"Origin": origin, **headers} if data is not None else {**headers}
        cookie = sent.pop("Cookie", None)
        request = urllib.request.Request(full, data=data, headers=sent)  # noqa: S310 # our own servers
        if cookie:
            request.add_unredirected_header("Cookie", cookie)
        answer: Any
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self._page = answer.read().decode()
            return Page(status=answer.status, url=answer.url, text=self._page)
