"""Commands in documentation, against the command line and the Makefile."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

from connector.cli.main import app

_COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S* )*(?:\S*/)?(connector|python3? -m connector|make) +(.*)$")
_END = re.compile(r" (?:\||&&|;|>|2>|&|#)(?: |$)|\)")


def lines(first: int, block: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a block with their numbers, continued ones joined."""
    begun, number = "", first
    for offset, line in enumerate(block.splitlines()):
        if not begun:
            number = first + offset
        if line.endswith("\\"):
            begun += line[:-1].rstrip() + " "
            continue
        yield number, (begun + line.strip()).strip()
        begun = ""


def wrong(text: str, makefile: Path) -> Iterator[str]:
    """Say what does not exist of the command in ``text``, if it is one of ours."""
    found = _COMMAND.match(text)
    if found is None:
        return
    try:
        words = shlex.split(_END.split(found[2])[0])
    except ValueError:
        yield f"{text!r} has an open quote"
        return
    yield from _wrong_make(words, makefile) if found[1] == "make" else _wrong_connector(words)


def _wrong_connector(words: list[str]) -> Iterator[str]:
    root: Any = get_command(app)
    command, options = root, _options(root)
    takes_value = False
    for word in words:
        if takes_value or word == "…":
            takes_value = False
        elif word.startswith("-"):
            name = word.partition("=")[0]
            if name not in options:
                said = "connector" if command is root else f"connector {command.name}"
                yield f"{said} has no option {name}"
                return
            takes_value = options[name] and "=" not in word
        elif word in (below := getattr(command, "commands", {})):
            command = below[word]
            options = _options(command)
        else:
            called = "connector" if command is root else f"connector {command.name}"
            yield f"{called} has no command {word}" if below else f"{word} is one word too many"
            return


def _options(command: Any) -> dict[str, bool]:
    """Its options, and whether a value follows."""
    known = {name: not option.is_flag for option in command.params for name in option.opts}
    return {"--help": False, **known}


def _wrong_make(words: list[str], makefile: Path) -> Iterator[str]:
    targets, variables = _makefile(makefile)
    for word in words:
        name, is_variable, _ = word.partition("=")
        if is_variable and name not in variables:
            yield f"the Makefile has no variable {name}"
        elif not is_variable and name not in targets and not name.startswith("-"):
            yield f"the Makefile has no target {name}"


@cache
def _makefile(path: Path) -> tuple[set[str], set[str]]:
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    variables = re.findall(r"^([A-Z]+) *[?:]?=", text, re.MULTILINE) + re.findall(r"\$\(([A-Z]+)\)", text)
    return targets, set(variables)
