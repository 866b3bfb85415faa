"""How external programs are run: output, progress, time limit."""

from __future__ import annotations

import sys
import time

import pytest

from bitsmith.hls.tools import run
from bitsmith.hls.tools.run import run_status, run_tool
from bitsmith.models.ir import ToolError


def program(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", text]


def test_output_is_returned_and_kept(tmp_path):
    text = run_tool(program("import sys; print('out'); print('err', file=sys.stderr)"), tmp_path, tmp_path / "log")
    assert text == "out\nerr\n" == (tmp_path / "log").read_text()


def test_failure_shows_the_last_lines(tmp_path):
    with pytest.raises(ToolError, match=r"(?s)failed with status 3.*line 19$") as caught:
        run_tool(program("import sys; [print('line', i) for i in range(20)]; sys.exit(3)"), tmp_path, tmp_path / "log")
    assert "line 4\n" not in str(caught.value)


def test_status_of_a_failure_that_means_something(tmp_path):
    assert run_status(program("print('full'); exit(7)"), tmp_path, tmp_path / "log") == (7, "full\n")


def test_progress_is_the_last_line_of_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "SILENCE_S", 0.3)
    heard: list[str] = []
    run_tool(program("import time; print('half way'); time.sleep(3)"), tmp_path, tmp_path / "log", say=heard.append)
    assert any(line.endswith("half way") for line in heard)


def test_a_program_that_takes_too_long_is_ended(tmp_path):
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"did not end within 1 s"):
        run_tool(program("import time; time.sleep(60)"), tmp_path, tmp_path / "log", timeout_s=1.0)
    assert time.monotonic() - began < 30


def test_missing_program(tmp_path):
    with pytest.raises(ToolError, match=r"no-such-program is missing.*bitsmith doctor"):
        run_tool(["no-such-program"], tmp_path, tmp_path / "log")
