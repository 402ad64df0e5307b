"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _file(name: str) -> Path:
    if name in ("", "-"):
        what = "is empty" if not name else "would be stdin, which is not read"
        raise typer.BadParameter(f"the name {what}; give the path of a YAML file")
    return Path(name)


ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", help="The configuration, a YAML file.", parser=_file, metavar="FILE"),
]
