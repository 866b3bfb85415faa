"""The ledger and its storage: who may write, what it refuses, what it makes of what others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sweep_bench import SMALL_SPACE, Bench, light, tiny_task

from bitsmith.flows.cli import main
from bitsmith.flows.config import write_config
from bitsmith.flows.search import ledger as ledger_module
from bitsmith.flows.search.begin import Wishes, locked
from bitsmith.flows.search.run import sweep
from bitsmith.flows.search.storage import JOURNAL, cut_off, folder_id, full, open_storage
from bitsmith.models.ir.errors import InputError, ToolError


def test_one_driver_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(InputError, match="another sweep is at work in"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):  # free again
        pass


def test_other_settings_in_the_same_folder_are_named(tmp_path: Path) -> None:
    before = Bench(tmp_path / "run", strategy="random").drive(light)
    with pytest.raises(InputError, match=r"other settings lies there already \(seed, task differ\)"):
        Bench(tmp_path / "run", strategy="random", seed=4).drive(light)
    with pytest.raises(InputError, match=r"\(strategy differ\)"):
        Bench(tmp_path / "run", strategy="tpe").drive(light)
    with pytest.raises(InputError, match=r"\(space differ\)"):
        Bench(tmp_path / "run", strategy="random", space=SMALL_SPACE).drive(light)
    again = Bench(tmp_path / "run", strategy="random").drive(light)
    assert again.story == before.story, "a refused sweep has changed nothing"


def test_more_trials_are_no_other_settings(tmp_path: Path) -> None:
    few = Bench(tmp_path / "run", strategy="random", trials=10).drive(light)
    more = Bench(tmp_path / "run", strategy="random", trials=20).drive(light)
    assert (len(few.trials), len(more.trials)) == (10, 20)
    assert more.story[:10] == few.story
    assert Bench(tmp_path / "run", strategy="random", trials=10).drive(light).story == more.story, "nothing left to do"


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", strategy="random")
    done = bench.drive(light)
    journal = bench.folder / JOURNAL
    with journal.open("ab") as file:
        file.write(b'{"op_code":5,"worker')
    assert bench.drive(light).story == done.story
    journal.write_bytes(b"")  # a driver that was killed before its first line
    assert bench.drive(light).story == done.story


def test_a_lock_that_a_killed_driver_left_holds_nobody_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", strategy="random")
    done = bench.drive(light)
    (bench.folder / f"{JOURNAL}.lock").touch()
    assert bench.drive(light).story == done.story


def test_trials_that_others_put_there_are_refused_and_hold_nothing_up(tmp_path: Path) -> None:
    """Optuna's own tools can enqueue and ask: such trials wait, or run, without a plan or without choices."""
    bench = Bench(tmp_path / "run", strategy="random", trials=5)
    bench.drive(light)
    study = bench.ledger().study
    study.ask()
    study.ask({"hidden.weight_bits": bench.ledger().distributions["hidden.weight_bits"]})
    study.enqueue_trial({"hidden.weight_bits": 1})
    done = Bench(tmp_path / "run", strategy="random", trials=9).drive(light)
    assert done.states == {"complete": 9, "refused": 3}
    assert {t.record["reason"] for t in done.trials[5:8]} == {"it was not asked for by this sweep"}


def test_a_grid_is_every_combination_once(tmp_path: Path) -> None:
    done = Bench(tmp_path / "run", strategy="grid", space=SMALL_SPACE, trials=50).drive(light)
    assert done.states == {"complete": 4}
    assert len({tuple(t.choices.values()) for t in done.trials}) == 4


def test_weights_that_are_gone_are_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", trials=1)
    bench.drive(light)
    (bench.folder / "trials/00000/weights.npz").unlink()
    with pytest.raises(InputError, match=r"trials/00000/weights.npz is gone.*begin anew with another --out"):
        Bench(tmp_path / "run", trials=5).drive(light)


def test_a_database_holds_the_same_sweep(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    filed = Bench(tmp_path / "journal", strategy="random").drive(light)
    stored = Bench(tmp_path / "database", strategy="random", storage=url)
    assert stored.drive(light).story == filed.story
    assert stored.drive(light).story == filed.story


def test_sweeps_of_equal_names_in_one_database_are_kept_apart(tmp_path: Path) -> None:
    """Two folders of one name, on two machines perhaps: the second may not write into the first's sweep."""
    wishes = Wishes(trials=1, storage=f"sqlite:///{tmp_path / 'trials.db'}", strategy="random", workers=1)
    for place in ("one", "two"):
        (tmp_path / place / "run").mkdir(parents=True)
    assert folder_id(tmp_path / "one") == folder_id(tmp_path / "one") != folder_id(tmp_path / "two")
    task = tiny_task()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitsmith.flows.search.run.drive", lambda *args: [])
        patch.setattr("bitsmith.flows.search.run.front_trials", lambda *args: [])
        for _ in range(2):
            with pytest.raises(ToolError, match="no trial of 0 was completed"):  # as far as it goes here
                sweep(task, wishes, tmp_path / "one" / "run", None, 0)
        with pytest.raises(InputError, match=r"\(folder differ\)"):
            sweep(task, wishes, tmp_path / "two" / "run", None, 0)


@pytest.mark.parametrize("url", ["nonsense", "nodatabase://here/there", "postgresql+nodriver://here/there"])
def test_an_address_that_is_none(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--storage .*write postgresql\+psycopg://"):
        open_storage(url, tmp_path)


def test_a_storage_that_never_was_there_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "OPENING_S", 0.5)
    url = f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'trials.db'}"
    with pytest.raises(ToolError, match=r"the storage has been away for 0 s .*unable to open database file"):
        Bench(tmp_path / "run", storage=url, patience_s=1000).drive(light)


def test_what_is_worth_trying_again() -> None:
    def raised(outer: BaseException, cause: BaseException | None = None) -> BaseException:
        outer.__cause__ = cause
        return outer

    assert cut_off(ConnectionResetError()) and cut_off(raised(ValueError(), OSError(116, "stale")))
    assert not cut_off(ValueError()) and not cut_off(PermissionError(13, "no"))
    assert full(raised(RuntimeError(), OSError(28, "full"))) and full(OSError(122, "quota"))
    assert not full(OSError(2, "none"))


def test_a_space_without_a_feasible_point_ends_at_once(tmp_path: Path, capsys: Any) -> None:
    write_config(tiny_task(), tmp_path / "tiny.toml")
    code = main(["sweep", str(tmp_path / "tiny.toml"), "--limit", "lut=5", "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err
    assert code == 3
    assert "no candidate of this space is feasible on arty-a7-35t" in said
    assert "lut is limited to 5, the least is " in said
    assert not (tmp_path / "run" / JOURNAL).exists(), "before anything is trained"


def test_every_limit_that_no_candidate_holds_is_named(tmp_path: Path, capsys: Any) -> None:
    write_config(tiny_task(), tmp_path / "tiny.toml")
    limits = ["--limit", "lut=5", "--limit", "energy_uj=1e-9", "--limit", "dsp=10"]
    assert main(["sweep", str(tmp_path / "tiny.toml"), *limits, "--out", str(tmp_path / "run")]) == 3
    said = capsys.readouterr().err
    assert "lut is limited to 5" in said and "energy_uj is limited to 1e-09" in said and "dsp is limited" not in said


def test_a_clock_that_no_candidate_reaches_ends_at_once(tmp_path: Path, capsys: Any) -> None:
    write_config(tiny_task(), tmp_path / "tiny.toml")
    assert main(["sweep", str(tmp_path / "tiny.toml"), "--board", "icebreaker", "--out", str(tmp_path / "run")]) == 3
    said = capsys.readouterr().err
    assert "no candidate of this space is feasible on icebreaker" in said and "the period is 10.00 ns" in said
    assert "ask for at most 90 MHz" in said
