"""All checks, and the pages that they are made of."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs import commands, names, settings
from tests.docs.markdown import Page

Said = tuple[int, str]
"""A line and what is wrong with it."""

_PAGES = ("README.md", "CHANGELOG.md", ".github/*.md", "docs/**/*.md", "helm/**/*.md")
_PATH = re.compile(r"(?:tests|connector|docs|helm|schemas|\.ci|\.github)/[\w./-]+(?:::(\w+))?")
_MACHINE = re.compile(r"(?<![\w.])/(?:work|home|Users|root|tmp)/[\w.-]+|\bC:\\\\")
_REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|repo1?\.maven\.(?:apache\.)?org|proxy\.golang\.org"
    r"|ghcr\.io|docker\.io|quay\.io)\b"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One mistake in the documentation."""

    page: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.message}"


def documentation(root: Path) -> Sequence[Page]:
    """Return every page of the documentation."""
    found = {path for pattern in _PAGES for path in root.glob(pattern)}
    return [Page.read(root, path) for path in sorted(found)]


def check_page(page: Page) -> Sequence[Finding]:
    """Return what is wrong with ``page``."""
    said = {item for check in CHECKS for item in check(page)}
    return [Finding(page=page.name, line=line, message=message) for line, message in sorted(said)]


def check_commands(page: Page) -> Iterator[Said]:
    """Each command, with its options, exists."""
    texts = [(piece.line, piece.text) for piece in page.spans()]
    for block in page.blocks():
        if block.language in ("", "sh", "bash", "console"):
            texts += commands.lines(block.line, block.text)
    for line, text in texts:
        if text not in names.log_events(page.root):
            for message in commands.wrong(text, page.root / "Makefile"):
                yield line, message
    for line, module in re_lines(r"python3? -m ([a-z][\w.]*)", page.text):
        if module.split(".")[0] in ("connector", "tests") and importlib.util.find_spec(module) is None:
            yield line, f"there is no module {module}"


def check_settings(page: Page) -> Iterator[Said]:
    """Each key of the configuration is known, and each YAML block can be used as it stands."""
    for span in page.spans():
        for message in settings.wrong_key(span.text):
            yield span.line, message
    for block in page.blocks():
        if block.language in ("yaml", "yml"):
            for message in settings.wrong_yaml(block.text, page.root):
                yield block.line, message


def check_metrics(page: Page) -> Iterator[Said]:
    """Each metric exists, with the labels that are named."""
    for number, line in enumerate(page.text.splitlines(), 1):
        for message in names.wrong_metrics(line):
            yield number, message


def check_links(page: Page) -> Iterator[Said]:
    """Each relative link leads to a file, and to a heading in it."""
    for link in page.links():
        if re.match(r"[a-z]+:", link.text):
            continue
        target, _, anchor = link.text.partition("#")
        path = page.path.parent / target if target else page.path
        if not path.exists():
            yield link.line, f"the link {link.text} leads nowhere"
        elif anchor and path.suffix == ".md":
            there = Page.read(page.root, path) if target else page
            if anchor not in there.anchors():
                yield link.line, f"the link {link.text} names no heading of {path.name}"


def check_paths(page: Page) -> Iterator[Said]:
    """Each file and test of the repository that is named in backticks exists."""
    for span in page.spans():
        found = _PATH.fullmatch(span.text)
        if found is None:
            continue
        path = page.root / span.text.partition("::")[0]
        if not path.exists():
            yield span.line, f"there is no {span.text}"
        elif found[1] and not re.search(rf"\bdef {found[1]}\b", path.read_text(encoding="utf-8")):
            yield span.line, f"there is no test {span.text}"


def check_machine(page: Page) -> Iterator[Said]:
    """No path of somebody's machine, and no registry's host."""
    for pattern in (_MACHINE, _REGISTRY):
        for line, found in re_lines(pattern.pattern, page.text):
            yield line, f"{found} belongs to one machine or one registry; take it out"


def check_complete(page: Page) -> Iterator[Said]:
    """The guide to operations leaves out no metric, state, reason or log line, and tells of no other."""
    if page.name == "docs/operations.md":
        for message in names.left_out(page):
            yield 1, message


def re_lines(pattern: str, text: str) -> Iterator[Said]:
    """Yield each match, its first group where it has one, with its line."""
    for found in re.finditer(pattern, text):
        yield text.count("\n", 0, found.start()) + 1, found[found.lastindex or 0]


CHECKS: tuple[Callable[[Page], Iterator[Said]], ...] = (
    check_commands,
    check_settings,
    check_metrics,
    check_links,
    check_paths,
    check_machine,
    check_complete,
)
"""Every check."""
