"""`cvms up` with small stand-in programs: `python stand_in_up.py HOME PORT CASE`.

It prints a line as each step is reached.  Its programs are this same file.
"""

# ruff: noqa: T201  # what it prints is what the tests read

import http.server
import pathlib
import signal
import sys
import time
from collections.abc import Mapping

from cvms_pipeline import errors
from cvms_pipeline.local import processes, supervise
from cvms_pipeline.settings import loading

ELSEWHERE = "postgresql://nobody@localhost:1/none"


NOT_YET = 3  # as often it answers, and cannot be used


class Answer(http.server.BaseHTTPRequestHandler):
    answered = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"loading" if Answer.answered < NOT_YET else b"loaded")
        Answer.answered += 1

    def log_message(self, format: str, *args: object) -> None:
        pass


def program(
    name: str, *words: str, address: processes.Address | None = None
) -> processes.Program:
    return processes.Program(
        name=name,
        command=[sys.executable, __file__, name, *words],
        start_seconds=5,  # Python itself may need more than one
        stop_seconds=2,
        address=address,
    )


def up(home: str, port: str, case: str) -> int:
    chosen = loading.load(
        home=pathlib.Path(home),
        port=int(port),
        database_url=None if case == "embedded" else ELSEWHERE,
    )
    address = processes.Address(
        title="Dagster UI",
        host="127.0.0.1",
        port=int(port),
        setting="CVMS_PORT",
        words="loaded",
    )
    web = "broken" if case == "broken" else "web"
    services = [program(web, port, address=address), program("sleeper")]
    if case in ("stubborn", "noisy"):
        services.append(program(case))

    def migrate() -> None:
        print("migrate", flush=True)
        if case == "no-migration":
            raise errors.PermanentError("The migration went wrong.")

    def ready(addresses: Mapping[str, str]) -> bool:
        print("ready", *addresses.items(), flush=True)
        return case == "brief"

    try:
        return supervise.up(
            chosen,
            migrate=migrate,
            ready=ready,
            report=lambda sentence: print(sentence, flush=True),
            services=services,
        )
    except errors.CvmsError as error:
        print(error, flush=True)
        return 1


def main(name: str, *words: str) -> None:
    if name == "web":
        address = "127.0.0.1", int(words[0])
        http.server.HTTPServer(address, Answer).serve_forever()
    if name == "stubborn":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if name == "sleeper" and pathlib.Path("failures").exists():
        with pathlib.Path("failures").open("a") as failures:
            failures.write(f"{time.time()}\n")
        sys.exit("It cannot work for now.")
    if name in ("sleeper", "stubborn"):
        print("started", flush=True)
        time.sleep(1000)
    while name == "noisy":
        print("x" * 500, flush=True)
        time.sleep(0.001)
    if name == "broken":
        sys.exit("It cannot work.")
    sys.exit(up(name, *words))


if __name__ == "__main__":
    main(*sys.argv[1:])
