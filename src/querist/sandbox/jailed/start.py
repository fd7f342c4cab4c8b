"""The first thing that runs on the other side: the zygote, or a try of the walls."""

from __future__ import annotations

import json
import sys

from . import zygote


def start() -> None:
    """The last argument says which: `probe`, or the descriptor of the zygote's control socket."""
    if sys.argv[-1] == "probe":
        zygote.probe(json.load(sys.stdin))
    else:
        zygote.main(int(sys.argv[-1]))
