"""A run directory remembers what is done, and only what is really done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bitsmith.flows.rundir import Done, RunDir, writable_folder, write_json
from bitsmith.models.ir import InputError


class Counter:
    """A stage that writes a file and counts its runs."""

    def __init__(self, folder: Path) -> None:
        self.run = RunDir(folder)
        self.times = 0

    def stage(self, inputs: dict[str, Any], fail: bool = False) -> Done:
        def work() -> dict[str, Any]:
            self.times += 1
            (self.run.folder / "made.txt").write_text(f"{inputs}")
            if fail:
                raise KeyboardInterrupt
            return {"times": self.times}

        return self.run.stage("make/it", inputs, ("models/ir",), ("made.txt",), work)


def test_a_done_stage_is_not_repeated(tmp_path: Path) -> None:
    counter = Counter(tmp_path / "run")
    first, second = counter.stage({"a": 1}), counter.stage({"a": 1})
    assert (first.repeated, second.repeated, counter.times) == (False, True, 1)
    assert first.result == second.result == {"times": 1}


def test_other_input_is_other_work(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    counter.stage({"a": 1})
    assert not counter.stage({"a": 2}).repeated
    assert not counter.stage({"a": 1}).repeated, "only the last result is kept"


def test_a_killed_stage_is_not_done(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    counter.stage({"a": 1})
    with pytest.raises(KeyboardInterrupt):
        counter.stage({"a": 2}, fail=True)
    assert not counter.stage({"a": 2}).repeated
    assert counter.stage({"a": 2}).repeated


def test_altered_or_lost_files_are_made_anew(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    counter.stage({"a": 1})
    (tmp_path / "made.txt").write_text("altered")
    assert not counter.stage({"a": 1}).repeated
    (tmp_path / "made.txt").unlink()
    assert not counter.stage({"a": 1}).repeated
    (tmp_path / "stages/make-it.json").write_text('{"key": ')
    assert not counter.stage({"a": 1}).repeated, "a damaged record counts for nothing"


def test_unwritable_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write into .*file.* --out"):
        writable_folder(tmp_path / "file" / "inside")


def test_json_is_written_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
