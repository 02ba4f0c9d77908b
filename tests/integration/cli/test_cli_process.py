import os
import signal
import subprocess
import sys

import terminals

HEAVY = ("pandas", "pandera", "sqlalchemy", "dagster", "alembic", "pydantic_settings")


def test_help_imports_nothing_that_is_slow_to_import():
    code = (
        "import sys; from cvms_pipeline.cli.__main__ import app;"
        f" print([name for name in {HEAVY} if name in sys.modules])"
    )

    printed = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 # ours

    assert printed.strip() == "[]"


def test_the_version_is_that_of_the_distribution():
    process = terminals.process("--version")

    out, err = process.communicate()

    assert (process.returncode, err) == (0, "")
    assert out.startswith("cvms 0.")


def test_wrong_use_is_exit_code_2():
    process = terminals.process("drop")

    _, err = process.communicate()

    assert process.returncode == 2
    assert "Missing argument" in err


def test_a_reader_that_closes_the_pipe_causes_no_traceback(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    process = terminals.process(
        "template", stdout=writer, env={"CVMS_HOME": str(tmp_path)}
    )
    os.close(writer)

    _, err = process.communicate()

    assert "Traceback" not in err
    assert "Exception ignored" not in err


def test_ctrl_c_ends_quietly(tmp_path):
    os.mkfifo(tmp_path / ".env")  # so that reading the settings waits
    process = terminals.process(
        "check", "any.csv", env={"CVMS_HOME": str(tmp_path)}, stdin=subprocess.DEVNULL
    )
    with (tmp_path / ".env").open("w"):  # it has got that far
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, out, err) == (130, "", "")


def test_a_bug_has_an_exit_code_of_its_own(tmp_path):
    code = (
        "from cvms_pipeline.cli import __main__;"
        " from cvms_pipeline.use_cases import check;"
        " check.check_alone = None; __main__.main()"
    )
    file = tmp_path / "any.csv"
    file.touch()
    command = [sys.executable, "-c", code, "check", str(file)]

    ended = subprocess.run(  # noqa: S603 # ours
        command,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CVMS_HOME": str(tmp_path)},
    )

    assert ended.returncode == 70
    assert "TypeError" in ended.stderr
