"""
``make chaos SECONDS=… SEED=… DELIVERY=…``: the whole program under faults, and its rows counted from outside.

Progress goes to stderr. The last line of stdout is one JSON object; the exit code is 1 where rows are lost
that no gap explains, where with exactly-once any is there twice, or where anything else is broken that is
promised.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio

from tests.chaos.options import Options, options
from tests.chaos.report import Counted, counted, failures, losses, result
from tests.chaos.run import Scene, run


def main() -> None:
    """Run, tell, and exit."""
    asked = options()
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as scratch:
        told = anyio.run(_tell, asked, asked.keep or Path(scratch))
    print(json.dumps(told), flush=True)
    sys.exit(1 if failures(told) else 0)


async def _tell(asked: Options, directory: Path) -> dict[str, Any]:
    began = time.time()

    def say(text: str) -> None:
        print(f"{time.time() - began:7.2f} s  {text}", file=sys.stderr, flush=True)

    async def count(scene: Scene) -> dict[str, Any]:
        say("counting")
        found = await counted(scene, asked)
        told = result(scene, asked, found)
        _explain(found, scene, began, directory)
        for broken in failures(told):
            say(f"BROKEN  {broken}")
        return told

    return await run(asked, directory, say=say, count=count)  # type: ignore[no-any-return]


def _explain(found: list[Counted], scene: Scene, began: float, directory: Path) -> None:
    """Say of each run of lost rows what was about; all of it stays beside the logs."""
    lost = [loss for one in found for loss in losses(one, scene.faults.happened, began)]
    (directory / "lost.json").write_text(json.dumps(lost, indent=1))
    for loss in lost[:20]:
        print(f"           lost: {json.dumps(loss)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
