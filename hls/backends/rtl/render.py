"""The templates of the RTL backends."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
LIB = HERE / "lib"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not for a price alone

    loader = FileSystemLoader(HERE / "templates")
    return Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def render(template: str, **values: Any) -> str:
    """The text of ``templates/<template>`` with ``values``; a missing value is an error of ours."""
    return _environment().get_template(template).render(**values)
