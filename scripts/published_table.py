"""Published designs beside our estimates of them: the tables of docs/published.md.

    python scripts/published_table.py [--models DIR] [--no-rtl]

Every design of scripts/published_points.toml is rebuilt with the published shapes and widths and random weights
(scripts/published_nets.py), or read from its model file in DIR, and priced by the function of ``bitsmith estimate``
with the published choices.  Designs that need a file are skipped, and named, where DIR is not given.  Nothing is fitted
here.  The last table is our own folded RTL at the published rates (half a minute; --no-rtl leaves it out).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from published_nets import NETS

from bitsmith.flows.frontends import lower_file
from bitsmith.flows.published import Compared, LeftOut, Point, Priced, compare, price_point, read_points
from bitsmith.flows.published_tables import OWN_HEAD, compared_table, designs_table, markdown, own_row, scores_table
from bitsmith.models.ir import BitsmithError, DoesNotFitError, QNet

POINTS = Path(__file__).with_name("published_points.toml")


def net_of(point: Point, models: Path | None) -> QNet | str:
    """The network, or why it cannot be had."""
    if point.net:
        return NETS[point.net]()
    if models is None:
        return f"needs {point.file}, and no folder was given as --models"
    path = models / point.file
    if not path.exists():
        return f"needs {point.file}, which the folder given as --models lacks"
    return lower_file(path, path.stem.replace("-", "_"), point.input_type, point.head).net


def priced_all(points: Sequence[Point], models: Path | None) -> tuple[list[Priced], list[LeftOut]]:
    """What could be priced, and what could not, with the reasons."""
    priced, missing = [], []
    for point in points:
        net = net_of(point, models)
        if isinstance(net, str):
            missing.append(LeftOut(point.name, net))
            continue
        try:
            priced.append(price_point(point, net))
        except DoesNotFitError:
            reason = (
                f"its {point.backend} project has no legal folding of {point.target_ii} cycles, whatever the device"
            )
            missing.append(LeftOut(point.name, f"{reason}: {point.note}"))
    return priced, missing


def rows_of(priced: Sequence[Priced], from_file: bool) -> list[Compared]:
    return [row for one in priced if bool(one.point.file) == from_file for row in compare(one)]


def text(priced: Sequence[Priced], from_file: bool) -> str:
    """The three tables of the designs with random weights, or of those from files."""
    mine, rows = [one for one in priced if bool(one.point.file) == from_file], rows_of(priced, from_file)
    return "\n\n".join((compared_table(rows), scores_table(rows), designs_table(mine)))


def missing_text(missing: Sequence[LeftOut]) -> str:
    return markdown(["design", "why it is not in the tables"], [[one.name, one.reason] for one in missing])


def own_text(points: Sequence[Point]) -> str:
    rows = [own_row(point, NETS[point.net]()) for point in points if point.own_ii or point.own_latency]
    return markdown(OWN_HEAD, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder with the model files of the designs that name one"
    )
    parser.add_argument("--no-rtl", action="store_true", help="without our own RTL at the same rates")
    args = parser.parse_args()
    points, left_out = read_points(POINTS)
    try:
        priced, missing = priced_all(points, args.models)
    except BitsmithError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("## Random weights of the published widths", text(priced, False), sep="\n\n")
    if any(one.point.file for one in priced):
        print("\n## Weights from model files", text(priced, True), sep="\n\n")
    print("\n## Not in the tables", missing_text([*missing, *left_out]), sep="\n\n")
    if not args.no_rtl:
        print("\n## Our folded RTL at the same rates", own_text(points), sep="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
