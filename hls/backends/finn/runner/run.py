"""Runs inside of FINN's environment: ``python run.py REQUEST.json``; plain FINN and qonnx, nothing of Bitsmith.

The request names a project folder, a scratch folder and what to do; the answer is
written to ``answer.json`` in the scratch folder, arrays beside it.  No Vivado is
needed or used: only steps that are Python are run.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Any

SIMULATOR_NAMES = (
    "SimEngine", "locate_glbl", "compile_sim_obj", "get_simkernel_so", "load_sim_obj", "reset_rtlsim", "close_rtlsim",
    "rtlsim_multi_io",
)  # fmt: skip
"""What FINN's builder imports from its bridge to Vivado's simulator, whether it will simulate or not."""


def prepare(scratch: Path) -> None:
    """Let FINN's builder be imported without Vivado: a folder of ours for its files, no simulator behind its names."""
    (scratch / "build").mkdir(parents=True, exist_ok=True)
    (scratch / "no_vivado").mkdir(exist_ok=True)
    os.environ["FINN_BUILD_DIR"] = str(scratch / "build")
    os.environ["XILINX_VIVADO"] = str(scratch / "no_vivado")  # the builder reads the name and looks for nothing in it

    import finn.xsi

    for name in SIMULATOR_NAMES:
        setattr(finn.xsi, name, _no_simulator)


def _no_simulator(*_: Any, **__: Any) -> None:
    raise RuntimeError("this step needs Vivado's simulator, which is not here")


def configuration(request: dict[str, Any], scratch: Path) -> Any:
    """The project's own build configuration, with its output in the scratch folder."""
    from finn.builder.build_dataflow_config import DataflowBuildConfig, DataflowOutputType

    settings = DataflowBuildConfig.construct_from(Path(request["project"]) / request["config"])
    settings.output_dir = str(scratch / "output")
    settings.generate_outputs = [DataflowOutputType.ESTIMATE_REPORTS]
    settings.verify_steps = None
    return settings


def apply_steps(model: Any, settings: Any, names: list[str]) -> Any:
    """``model`` after FINN's build steps ``names``, those injected by the configuration included."""
    from finn.builder.build_dataflow import resolve_build_steps

    sys.path.insert(0, str(settings.config_path.parent))  # steps of the project itself
    settings.steps = names
    for step in resolve_build_steps(settings):
        model = step(model, settings)
    return model


def mapped(model: Any) -> list[dict[str, str]]:
    """Every node, and whether FINN has hardware for it."""
    return [
        {"name": n.name, "kind": n.op_type, "hardware": n.domain.startswith("finn.custom_op.fpgadataflow")}
        for n in model.graph.node
    ]


def execute(request: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Run the graph after ``request['steps']`` on the rows of ``input.npy``; the taps are of the graph as written."""
    import numpy as np
    from finn.core.onnx_exec import execute_onnx
    from qonnx.core.modelwrapper import ModelWrapper

    settings = configuration(request, scratch)
    written = ModelWrapper(request["model"])
    model = apply_steps(ModelWrapper(request["model"]), settings, request["steps"])
    rows = np.load(scratch / "input.npy").astype(np.float32)
    source, result = model.graph.input[0].name, model.graph.output[0].name
    outputs = [execute_onnx(model, {source: row[None]})[result] for row in rows]
    np.save(scratch / "output.npy", np.concatenate(outputs))
    if request["taps"]:
        name = written.graph.input[0].name
        contexts = [execute_onnx(written, {name: row[None]}, return_full_exec_context=True) for row in rows]
        taps: dict[str, Any] = {name: np.concatenate([c[name] for c in contexts]) for name in request["taps"]}
        np.savez(scratch / "taps.npz", **taps)
    return {"nodes": mapped(model)}


def estimate(request: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """FINN's own reports: cycles and resources per layer by its analytic models."""
    from qonnx.core.modelwrapper import ModelWrapper

    settings = configuration(request, scratch)
    converted = apply_steps(ModelWrapper(request["model"]), settings, request["steps"])
    nodes = mapped(converted)
    if not all(n["hardware"] for n in nodes):
        return {"nodes": nodes}
    final = apply_steps(converted, settings, request["estimate_steps"])
    report = Path(settings.output_dir) / "report"
    names = ("estimate_layer_cycles", "estimate_layer_resources", "estimate_network_performance")
    reports = {name: json.loads((report / f"{name}.json").read_text()) for name in names}
    applied = json.loads((report / "applied_folding_config.json").read_text())
    return {"nodes": mapped(final), "folding": applied, **reports}


def main() -> None:
    """Do what the request says; an error of FINN's ends up in the answer, with its words."""
    request = json.loads(Path(sys.argv[1]).read_text())
    scratch = Path(request["scratch"])
    prepare(scratch)
    versions = {name: importlib.metadata.version(name) for name in ("finn-plus", "qonnx", "onnxruntime")}
    answer: dict[str, Any] = {"versions": versions}
    try:
        answer |= {"execute": execute, "estimate": estimate}[request["do"]](request, scratch)
    except Exception as error:  # whatever FINN raises is told, not hidden: its type and words are the answer
        import traceback

        traceback.print_exc()
        answer["error"] = f"{type(error).__name__}: {error}"
    (scratch / "answer.json").write_text(json.dumps(answer, default=float))


if __name__ == "__main__":
    main()
