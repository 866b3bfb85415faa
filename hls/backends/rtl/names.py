"""Names of the modules of a design, and the line that stands at the top of every written file."""

from __future__ import annotations

import re

BANNER = "// Written by Bitsmith; project.json says by which version and from which net."


class Names:
    """Module names of a design: ``<net>_<op>``, made unique."""

    def __init__(self, net: str) -> None:
        clean = re.sub(r"\W", "_", net, flags=re.ASCII) or "net"
        self.net = clean if not clean[0].isdigit() else f"net_{clean}"
        self.core, self.axis = f"{self.net}_core", f"{self.net}_axis"
        self.taps, self.tb = f"{self.net}_taps", f"{self.net}_tb"
        self.taken = {self.core, self.axis, self.taps, self.tb}

    def fresh(self, wanted: str) -> str:
        """``<net>_<wanted>``, or with a number if that is taken."""
        name, n = f"{self.net}_{wanted}", 1
        while name in self.taken:
            n += 1
            name = f"{self.net}_{wanted}_{n}"
        self.taken.add(name)
        return name
