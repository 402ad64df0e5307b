"""What the tools that look at one run from outside found, for the table of a full run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.processes import ROOT
from tests.bench.scale import COMPARED

Told = dict[str, float | None]

TOOLS_FILE = "tools.json"

TOOLS: Mapping[str, tuple[str, ...]] = {"startup": (), "scale": ("--sizes", str(COMPARED)), "stall": ()}
"""Each with its arguments."""


def look(file: Path, *, with_kafka: bool) -> Told:
    """
    Run the tools, keep their last lines in ``file``, and return the `figures` that must be reached.

    Those that are in ``file`` already are not run again.
    """
    told: dict[str, dict[str, object]] = json.loads(file.read_text()) if file.exists() else {}
    for name, arguments in TOOLS.items():
        if name not in told:
            more = ("--kafka",) if name == "stall" and with_kafka else ()
            command = [sys.executable, "-m", f"tests.bench.{name}", *arguments, *more]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            told[name] = json.loads(done.stdout.splitlines()[-1])
            file.write_text(json.dumps(told))
    return figures(told)


def figures(told: Mapping[str, Mapping[str, object]]) -> Told:
    """Pick from the tools' last lines, of which some may be missing."""
    startup, scale, stall = (told.get(name, {}) for name in TOOLS)
    busy = scale.get(f"busy_{COMPARED}")
    busy = busy if isinstance(busy, dict) else {}
    found: dict[str, object] = {
        "first_socket_s": startup.get("first_socket_s"),
        "idle_rss_mb": startup.get("idle_rss_mb"),
        "busy_100_core": busy.get("core"),
        "busy_100_rss_mb": busy.get("rss_mb"),
        "stall_peak_mb": stall.get("rss_peak_mb"),
    }
    return {name: value for name, value in found.items() if isinstance(value, int | float)}
