"""A fake vendor tool: checks its arguments, then really executes the Tcl that it is given, against commands that
check what they are told, note themselves in commands.txt and copy stored reports.

    tool.py NAME MODE ARGUMENT...
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ARGUMENTS = {
    "vivado": ["-mode", "batch", "-notrace", "-nojournal", "-nolog", "-source", "build.tcl"],
    "quartus_sh": ["-t", "build.tcl"],
    "radiantc": ["build.tcl"],
    "diamondc": ["build.tcl"],
}


def prelude(name: str, mode: str) -> str:
    """Tcl that defines the tool's commands."""
    return f"set ::mode {mode}\nset ::reports {{{HERE.parent / 'reports'}}}\nsource {{{HERE / name}.tcl}}\n"


def execute(script: str) -> tuple[bool, str]:
    """Run Tcl in Python, or in tclsh where Python has none: whether it ended well, and its error."""
    try:
        import tkinter
    except ImportError:
        done = subprocess.run(
            [shutil.which("tclsh") or "tclsh"], input=script, text=True, capture_output=True, check=False
        )
        print(done.stdout, end="")
        return done.returncode == 0 and not done.stderr, done.stderr
    try:
        tkinter.Tcl().eval(script)
    except tkinter.TclError as error:
        return False, str(error)
    return True, ""


def main() -> int:
    name, mode, *arguments = sys.argv[1:]
    if arguments != ARGUMENTS[name]:
        print(f"{name}: unexpected arguments {arguments}")
        return 64
    if mode == "crash":
        print("first line\n" + "\n".join(f"line {n}" for n in range(40)))
        print("Abnormal program termination (11)")
        return 134
    good, error = execute(prelude(name, mode) + "source build.tcl\n")
    if not good:
        print(f"ERROR: {error}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
