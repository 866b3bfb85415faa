"""What each command does.  A command returns its JSON, its text for people, and its exit code."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bitsmith.flows.cli import texts
from bitsmith.flows.cli.outcome import DOES_NOT_FIT, INTERRUPTED, MISMATCH, OK, Outcome, options_of
from bitsmith.flows.cli.sweep import sweep
from bitsmith.flows.options import hw_config, resolve_hardware
from bitsmith.flows.rundir import RunDir, say, writable_folder
from bitsmith.flows.source import find_source
from bitsmith.models.ir.errors import BitsmithError, InputError


def run(args: argparse.Namespace) -> int:
    """Run the command that ``args`` names, print its result, and return the exit code."""
    commands: dict[str, Callable[[argparse.Namespace], Outcome]] = {
        "doctor": _doctor,
        "boards": _boards,
        "train": _train,
        "import": _import,
        "estimate": _estimate,
        "emit": _emit,
        "verify": _verify,
        "synth": _synth,
        "host": _host,
        "build": _build,
        "report": _report,
        "sweep": sweep,
    }
    try:
        outcome = commands[args.command](args)
    except BitsmithError as error:
        say(f"bitsmith {args.command}: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("\nstopped; the same command goes on from the last finished stage")
        return INTERRUPTED
    try:
        print(json.dumps(outcome.data) if args.json else outcome.text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return outcome.code


def _job(args: argparse.Namespace, out: str | None = None, priced_only: bool = False) -> Any:
    from bitsmith.flows.job import Job

    source, options = find_source(args.model), options_of(args)
    resolve_hardware(source.config, options, priced_only)  # wrong names end here, before any work
    return Job(source, options, RunDir(Path(out or f"runs/{source.name}")))


def _doctor(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.doctor import examine

    data = examine()
    return Outcome(data, texts.doctor(data))


def _boards(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.boards import board_rows

    rows = board_rows()
    return Outcome(rows, texts.boards(rows))


def _train(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.lowering import lowered_net

    job = _job(args, args.out)
    if job.source.config is None:
        raise InputError(f"{args.model} is not a task or a config: only those are trained; use bitsmith import")
    trained, done = lowered_net(job)
    assert trained is not None
    lowered = done.result
    data = {**trained.result, **lowered, "net": str(job.run.folder / lowered["net"])}
    return Outcome(data, texts.training(data), _exit_code(lowered["exact"]))


def _import(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.lowering import lowered_net, stored_net
    from bitsmith.models.ir import to_text

    job = _job(args, args.out)
    lowered = lowered_net(job)[1].result
    data = {**lowered, "net": str(job.run.folder / lowered["net"])}
    text = f"{to_text(stored_net(job.run))}\n{texts.comparison(data)}"
    return Outcome(data, text, _exit_code(lowered["exact"]))


def _exit_code(exact: bool | None) -> int:
    return MISMATCH if exact is False else OK


def _first_design(args: argparse.Namespace, job: Any) -> Any:
    """The one backend of ``estimate`` and ``emit``."""
    if len(args.backend or ()) > 1:
        raise InputError(f"{args.command} takes one --backend; build takes several")
    hardware = resolve_hardware(job.source.config, job.options)
    return hw_config(hardware, hardware.backends[0], job.seed)


def _estimate(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.backends import load_backend
    from bitsmith.flows.boards import is_accelerator
    from bitsmith.flows.lowering import lowered_net, stored_net
    from bitsmith.flows.pricing import duty_json, estimate_json, explained, fpga_duty, hls_verdict, price
    from bitsmith.hls.backends.base import refuse
    from bitsmith.hls.estimate.duty import check_request

    check_request(args.rate, args.battery_mwh)
    job = _job(args, args.out, priced_only=True)
    hardware = resolve_hardware(job.source.config, job.options, priced_only=True)
    if is_accelerator(hardware.board):
        return _estimate_accelerator(args, job, hardware.board)
    hw = _first_design(args, job)
    lowered_net(job)
    net = stored_net(job.run)
    refuse(load_backend(hw.backend), net, hw)
    cost = price(net, hw)
    data = {"board": hw.board.name, "target": "fpga", **estimate_json(cost)}
    if args.rate is not None:
        data["duty"] = duty_json(fpga_duty(cost, hw, args.rate, args.battery_mwh))
    if args.explain:
        data["explain"] = explained(cost, hw)
    if hw.backend == "hls4ml":
        data["hls"] = hls_verdict(net, hw, cost.fits)
    possible = data["fits"] and data.get("hls", {}).get("hls_finishes", True)
    return Outcome(data, texts.estimate(data), OK if possible else DOES_NOT_FIT)


def _estimate_accelerator(args: argparse.Namespace, job: Any, board: str) -> Outcome:
    from bitsmith.flows.lowering import lowered_net, stored_net
    from bitsmith.flows.options import refuse_fpga_options
    from bitsmith.flows.pricing import accelerator_duty, accelerator_json, duty_json, price_accelerator

    refuse_fpga_options(job.options, board)
    lowered_net(job)
    cost = price_accelerator(stored_net(job.run), board)
    data = accelerator_json(cost)
    if args.rate is not None:
        data["duty"] = duty_json(accelerator_duty(cost, args.rate, args.battery_mwh))
    return Outcome(data, texts.accelerator(data), OK if cost.fits else DOES_NOT_FIT)


def _emit(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.firmware import write_project
    from bitsmith.flows.lowering import lowered_net

    job = _job(args)
    hw = _first_design(args, job)
    out = writable_folder(Path(args.out) if args.out else job.run.folder / hw.backend)
    lowered_net(job)
    project = write_project(job, hw, out)
    data = {"project": str(out), "backend": hw.backend, "files": list(project.files)}
    return Outcome(data, f"{len(project.files)} files in {out}; verify them with: bitsmith verify {out}")


def _projects(folder: Path) -> list[Path]:
    """The project in ``folder``, or those of a build."""
    from bitsmith.hls.backends.base import MANIFEST

    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}")
    if (folder / MANIFEST).exists():
        return [folder]
    inside = sorted(p.parent for p in folder.glob(f"*/{MANIFEST}"))
    if not inside:
        raise InputError(f"{folder} is no project and holds none; make one with bitsmith emit or bitsmith build")
    return inside


def _verify(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.firmware import verify_folder, verify_json

    rows = []
    for project in _projects(Path(args.dir)):
        done = verify_json(verify_folder(project, args.samples, args.seed or 0))
        rows.append({"project": str(project), **done})
    exact = all(r["exact"] for r in rows)
    data = rows[0] if len(rows) == 1 else {"exact": exact, "projects": rows}
    return Outcome(data, texts.proofs(rows), _exit_code(exact))


def _synth(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.firmware import synth_folder
    from bitsmith.hls.backends.base import read_manifest

    projects = [p for p in _projects(Path(args.dir)) if str(read_manifest(p)["backend"]).startswith("rtl")]
    if not projects:
        raise InputError(f"{args.dir} holds no RTL; its vendor's tool must synthesise it (see its README.md)")
    rows = [{"project": str(p), **asdict(synth_folder(p))} for p in projects]
    data = rows[0] if len(rows) == 1 else {"projects": rows}
    return Outcome(data, texts.synthesis(rows), max(_synth_code(r) for r in rows))


def _synth_code(row: dict[str, Any]) -> int:
    """A mapped netlist that differs from the net is worse than one that does not fit."""
    if row.get("netlist_exact") is False:
        return MISMATCH
    return DOES_NOT_FIT if row.get("fits") is False else OK


def _host(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.host import host_folder

    data = host_folder(Path(args.dir), args.port, args.samples, args.rows)
    return Outcome(data, texts.host(data), _exit_code(data["exact"]))


def _build(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.build import all_exact, build
    from bitsmith.flows.report import build_report

    job = _job(args, args.out)
    data = build(job)
    title = (job.source.config.title if job.source.config else "") or job.source.name
    data["report"] = str(build_report(job.run.folder, shlex.join(["bitsmith", *args.argv]), title))
    code = _exit_code(all_exact(data))
    if code == OK:
        code = max(_synth_code(part.get("synth", {})) for part in data["backends"].values())
    if code == OK and not data["estimate"]["fits"]:
        code = DOES_NOT_FIT
    return Outcome(data, texts.build(data), code)


def _report(args: argparse.Namespace) -> Outcome:
    from bitsmith.flows.report import rebuild_report

    page = str(rebuild_report(Path(args.dir)))
    return Outcome({"report": page}, page)
