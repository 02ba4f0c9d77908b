"""The portal in a process of its own: which modules does the first review import?

Starts as `serving` does, logs in, and asks the application as gunicorn asks it: for the
form, with a file, for its review.  Prints the new modules as JSON.
"""

import io
import json
import re
import sys
from typing import Any

import requests
from gunicorn.http import wsgi  # noqa: F401 # gunicorn has it when it serves

from cvms_pipeline.portal.site import serving
from cvms_pipeline.settings import loading

URL = "http://127.0.0.1"


class Browser:
    """Asks a WSGI application."""

    def __init__(self, application: Any) -> None:
        """Begin without cookies."""
        self._application = application
        self._session = requests.Session()
        self.headers: dict[str, str] = {}
        self.page = self.status = ""

    def ask(self, path: str, *, files: Any = None, **typed: str) -> None:
        """Open a page, or send the form of the last one; follow no redirect."""
        request = requests.Request("GET", URL + path)
        if typed or files:
            token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.page)
            data = {"csrfmiddlewaretoken": token[1] if token else "", **typed}
            request = requests.Request("POST", URL + path, data=data, files=files)
        self._answer(self._session.prepare_request(request))

    def _answer(self, prepared: Any) -> None:
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else body
        path, _, query = prepared.path_url.partition("?")
        environ = {
            "REQUEST_METHOD": prepared.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_COOKIE": prepared.headers.get("Cookie", ""),
            "CONTENT_TYPE": prepared.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
        }
        answer = self._application(environ, self._start)
        self.page = b"".join(answer).decode()
        answer.close()

    def _start(self, status: str, headers: Any, _error: Any = None) -> None:
        self.status = status
        for name, value in headers:
            self.headers[name] = value
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self._session.cookies.set(key, rest.partition(";")[0])


def main(username: str, password: str, content: str) -> None:
    """Print what is imported."""
    portal = serving._Portal(loading.load())
    browser = Browser(portal.load())
    portal.cfg.post_worker_init(None)
    browser.ask("/accounts/login/")
    browser.ask("/accounts/login/", login=username, password=password)
    before = set(sys.modules)
    browser.ask("/bulk/")
    browser.ask("/bulk/", files={"file": ("staff.csv", content.encode(), "text/csv")})
    assert browser.status.startswith("302"), browser.status
    browser.ask(browser.headers["Location"])
    assert "Create Records" in browser.page, browser.status
    sys.stdout.write(json.dumps(sorted(set(sys.modules) - before)))


if __name__ == "__main__":
    main(*sys.argv[1:])
