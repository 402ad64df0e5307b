"""``python -m tests.durations LOG``: where the minutes of a run with ``--durations=0`` went, as Markdown."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

SLOWEST = 50
_LINE = re.compile(r"^(\d+\.\d+)s (?:setup|call|teardown) +(tests/.*)$", re.MULTILINE)


def read(log: str) -> dict[str, float]:
    """Seconds of each test, set-up and clean-up included, the longest first."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for duration, test in _LINE.findall(log):
        seconds[test] += float(duration)
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def by_directory(seconds: dict[str, float]) -> str:
    """A table of the directories below tests/, with what their tests took together and at most."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for test, duration in seconds.items():
        parts = Path(test.partition("::")[0]).parts
        found["/".join(parts[1:3] if parts[1] == "integration" else parts[1:2])].append(duration)
    lines = ["| directory | tests of 5 ms and more | seconds together | longest |", "|---|--:|--:|--:|"]
    for directory, all_of_it in sorted(found.items(), key=lambda item: -sum(item[1])):
        lines.append(f"| {directory} | {len(all_of_it)} | {sum(all_of_it):,.0f} | {max(all_of_it):.1f} |")
    every = list(seconds.values())
    lines.append(f"| all | {len(every)} | {sum(every):,.0f} | {max(every, default=0):.1f} |")
    return "\n".join(lines)


def slowest(seconds: dict[str, float]) -> str:
    """A table of the slowest tests."""
    lines = ["| seconds | test |", "|--:|---|"]
    for test, duration in list(seconds.items())[:SLOWEST]:
        lines.append(f"| {duration:.1f} | `{test}` |".replace("\\", ""))
    return "\n".join(lines)


def main() -> None:
    """Print both tables of the log that the command line names."""
    seconds = read(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(f"{by_directory(seconds)}\n\n{slowest(seconds)}")


if __name__ == "__main__":
    main()
