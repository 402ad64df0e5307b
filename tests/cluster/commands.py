"""helm and kubectl, run with a deadline and quoted in full when they fail."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from tests.helm.conftest import CHART
from tests.helm.objects import Object


class CommandFailedError(Exception):
    """The message is the command, what it printed, and what the namespace looked like then."""


async def run(*command: str, stdin: str = "", deadline: float = 120.0) -> str:
    """
    What the command prints.

    Raises:
        CommandFailedError: It ended with another code than 0.
        TimeoutError: `deadline` (seconds) passed.
    """
    with anyio.fail_after(deadline):
        answer = await anyio.run_process(command, input=stdin.encode(), stderr=subprocess.STDOUT, check=False)
    printed = answer.stdout.decode()
    if answer.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)}\n{printed}")
    return printed


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod. `is_leaving` tells that it was asked to end."""

    name: str
    is_ready: bool
    is_leaving: bool


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """A namespace of this test run's own, that admits restricted pods only."""

    name: str

    async def create(self) -> None:
        """Create it, with the level `restricted` of the Pod Security Standards enforced."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        await self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name, "labels": labels}}
        )

    async def delete(self) -> None:
        """Delete it and all in it; not waited for."""
        await run("kubectl", "delete", "namespace", self.name, "--wait=false")

    async def apply(self, thing: Mapping[str, object]) -> None:
        """Create an object; it goes by stdin, so that no command line shows a secret."""
        await run("kubectl", "--namespace", self.name, "apply", "-f", "-", stdin=json.dumps(thing))

    async def create_secret(self, name: str, values: Mapping[str, str]) -> None:
        """A Secret of text values."""
        metadata = {"name": name, "namespace": self.name}
        await self.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)}
        )

    async def pods(self) -> list[Pod]:
        """Every pod, leaving ones included."""
        told = json.loads(await run("kubectl", "--namespace", self.name, "get", "pods", "-o", "json"))
        return [_pod(item) for item in told["items"]]

    async def helm(self, verb: str, release: str, *options: str, deadline: float = 120.0) -> str:
        """`helm VERB RELEASE` in this namespace."""
        try:
            return await run("helm", verb, release, "--namespace", self.name, *options, deadline=deadline)
        except CommandFailedError as error:
            error.add_note(await run("kubectl", "--namespace", self.name, "describe", "pods"))
            raise

    async def install(self, release: str, values: Path, *options: str) -> str:
        """`helm install --wait` of the chart."""
        return await self.helm("install", release, str(CHART), *_with(values), "--wait", *options)

    async def upgrade(self, release: str, values: Path, *options: str) -> str:
        """`helm upgrade --wait` of the chart."""
        return await self.helm("upgrade", release, str(CHART), *_with(values), "--wait", *options)


def _with(values: Path) -> tuple[str, ...]:
    return ("--values", str(values), "--timeout", "90s")


def _pod(item: Object) -> Pod:
    ready = [told["status"] for told in item["status"].get("conditions", []) if told["type"] == "Ready"]
    return Pod(
        name=item["metadata"]["name"],
        is_ready=ready == ["True"],
        is_leaving="deletionTimestamp" in item["metadata"],
    )
