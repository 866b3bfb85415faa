"""Our layers made known to hls4ml through its Extension API.

hls4ml keeps layer classes, templates and sources in registries of its own;
``register`` fills them once per process and backend.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bitsmith.hls.backends.hls4ml.tools import HlsTool

HERE = Path(__file__).resolve().parent
CPP = HERE / "cpp"
TEMPLATES = HERE / "templates"
KINDS = {
    "BitsmithRequant": "requant",
    "BitsmithThresholds": "thresholds",
    "BitsmithLut": "lut",
    "BitsmithArgMax": "argmax",
    "BitsmithMaxPool": "max_pool",
}
"""Class of the layer in hls4ml -> its C++ function and its template file."""


def register(tool: HlsTool) -> None:
    """Make our layers known to hls4ml's backend for ``tool``."""
    from hls4ml.backends import get_backend
    from hls4ml.model.layers import layer_map, register_layer

    for kind in KINDS:
        if kind not in layer_map:
            register_layer(kind, _layer_class(kind))
    backend = get_backend(tool.backend)
    classes = [layer_map[kind] for kind in KINDS]
    if any(source.parent == CPP for source in backend.custom_source.values()):
        return
    for template in _templates(classes, tool):
        backend.register_template(template)
    for header in sorted(CPP.glob("bitsmith_*.h")):
        backend.register_source(header)


def _layer_class(kind: str) -> type[Any]:
    from hls4ml.model.layers import Layer

    def initialize(self: Any) -> None:
        self.add_output_variable(list(self.attributes["target_shape"]))
        for weight in self.attributes["own_weights"]:
            self.add_weights_variable(name=weight, var_name=weight + "{index}")

    return type(kind, (Layer,), {"initialize": initialize})


def _templates(classes: list[type[Any]], tool: HlsTool) -> tuple[type[Any], type[Any]]:
    """The two template classes that hls4ml wants: for a layer's configuration and for its call."""
    import jinja2
    from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )

    class Config(LayerConfigTemplate):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(classes)

        def format(self, node: Any) -> str:
            template = environment.get_template(f"{KINDS[node.class_name]}.j2")
            weights = {f"{w}_t": node.get_weights(w).type.name for w in node.attributes["own_weights"]}
            return template.render(index=node.index, **{**node.attributes["params"], **weights})

    class Call(FunctionCallTemplate):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(classes)

        def transform(self, model: Any, node: Any) -> Any:
            stream = model.config.get_config_value("IOType") == "io_stream"
            flavour = "stream" if stream else tool.header
            self.include_header = [f"nnet_utils/bitsmith_{flavour}.h"]
            return super().transform(model, node)

        def format(self, node: Any) -> str:
            p = self._default_function_params(node)
            weights = "".join(f", {node.get_weights(w).name}" for w in node.attributes["own_weights"])
            types = f"{p['input_t']}, {p['output_t']}, {p['config']}"
            return f"bitsmith::{KINDS[node.class_name]}<{types}>({p['input']}, {p['output']}{weights});"

    return Config, Call
