"""The report pages, of a build and of a sweep: one HTML file that asks nothing of the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bitsmith.models.ir.errors import InputError
from bitsmith.reports import text
from bitsmith.reports.data import ReportData
from bitsmith.reports.sweep_data import SweepData
from bitsmith.reports.sweep_view import sweep_context
from bitsmith.reports.view import context, short_type

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render_report(data: ReportData) -> str:
    """The whole page as text; every value is escaped."""
    return _environment().get_template("report.html.j2").render(context(data))


def render_sweep(data: SweepData) -> str:
    """The page of a sweep; every value is escaped."""
    return _environment().get_template("sweep.html.j2").render(sweep_context(data))


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": text.number,
        "percent": text.percent,
        "bounds": text.bounds,
        "shape": text.shape,
        "duration": text.duration,
        "unit": text.with_unit,
        "short_type": short_type,
    }
    return environment


def write_report(data: ReportData | SweepData, out: Path) -> Path:
    """Write the page to ``out`` (a file); returns its path.  InputError if it cannot be written."""
    page = render_sweep(data) if isinstance(data, SweepData) else render_report(data)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report to {out}: {error.strerror}; choose another folder") from error
    return out
