"""Apache Kafka's jars, copied by Maven from the committed pom.xml into the user's cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
NEEDED_JAVA = 17
MAVEN_DEADLINE = 300.0
"""Seconds that a cold download may take."""


class MissingComponentError(Exception):
    """This machine lacks what Apache Kafka needs; the message says what."""


def kafka_classpath() -> str:
    """
    The classpath of Apache Kafka, downloaded on first use. Maven is needed for that alone.

    Raises:
        MissingComponentError: No Java of at least NEEDED_JAVA, or an empty cache and no Maven that fills it.
    """
    _require_java()
    pom = POM.read_bytes()
    jars = _cache_home() / f"kafka-{hashlib.sha256(pom).hexdigest()[:16]}"
    jars.parent.mkdir(parents=True, exist_ok=True)
    with jars.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second finds the jars of the first
        if not jars.is_dir():
            _copy_dependencies(jars)
    return f"{jars}/*"


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphql-kafka-connector"


def _require_java() -> None:
    if shutil.which("java") is None:
        raise MissingComponentError(f"no java on PATH: Apache Kafka needs Java {NEEDED_JAVA} or newer")
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version[1]) < NEEDED_JAVA:
        said = (answer.stderr.splitlines() or ["nothing"])[0]
        raise MissingComponentError(f"Apache Kafka needs Java {NEEDED_JAVA} or newer; java says: {said}")


def _copy_dependencies(jars: Path) -> None:
    """Fill a directory beside the final one and rename it, so that a cut download never passes for jars."""
    if shutil.which("mvn") is None:
        raise MissingComponentError("no mvn on PATH: Maven downloads Apache Kafka, once")
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix=f"{jars.name}-") as scratch:
        copied = Path(scratch) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(POM), COPY_DEPENDENCIES, "-DincludeScope=runtime"]
        answer = subprocess.run(
            [*command, f"-DoutputDirectory={copied}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MAVEN_DEADLINE,
            check=False,
        )
        if answer.returncode != 0:
            raise MissingComponentError(f"Maven could not download Apache Kafka:\n{answer.stdout[-2000:]}")
        copied.rename(jars)
