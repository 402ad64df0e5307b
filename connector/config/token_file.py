"""The file of ``token_file``: where it is, and whether a token is in it."""

from __future__ import annotations

from pathlib import Path

from connector.auth.grant import is_access_token
from connector.config.files import Files, read_text
from connector.config.root import WRITE_TOKEN
from connector.config.source import Source
from connector.errors import ConfigError


def find_token_file(tree: dict[str, object], source: Source, *, look: bool) -> None:
    """Make the path a full one; with ``look`` see that a token is there."""
    name = tree.get("token_file")
    if not isinstance(name, str) or not name.strip():
        return
    file = source.directory / name
    tree["token_file"] = str(file)
    if not look:
        return
    mistake = _token_mistake(file)
    if mistake is not None:
        source.report(("token_file",), *mistake)
        source.files.note(file)


def _token_mistake(file: Path) -> tuple[str, str] | None:
    try:
        token = read_text(file, what="the token file", files=Files()).strip()
    except ConfigError as error:
        return error.problems[0].message, error.problems[0].remedy
    if not token:
        return "the token file is empty", "write the token into it"
    if not is_access_token(token):
        return "the token file holds characters that no access token may have", WRITE_TOKEN
    return None
