"""
The classes of Apache Kafka as an archive of Java's class data sharing: a broker starts at half of the CPU.

It lies beside the jars, made by whoever finds none, and belongs to one version of Java. Where it cannot be
made brokers start without it.
"""

import fcntl
import functools
import hashlib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path


def ensure_archive(classpath: str, run_once: Callable[[list[str], Path], None]) -> None:
    """
    Make the archive unless it is there: ``run_once`` runs a broker, with these options of Java and in this
    empty directory, and ends it in good order.
    """
    archive = _archive(classpath)
    with archive.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers at once: the others find what the first made
        if archive.exists():
            return
        with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
            made = Path(scratch, archive.name)
            run_once([f"-XX:ArchiveClassesAtExit={made}"], Path(scratch, "broker"))
            if made.exists():
                made.rename(archive)


def archive_options(classpath: str) -> list[str]:
    """Java's options that use the archive; none where there is no archive."""
    archive = _archive(classpath)
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []


@functools.cache
def _archive(classpath: str) -> Path:
    version = subprocess.run(["java", "-version"], capture_output=True, check=True).stderr
    jars = Path(classpath).parent
    return jars.with_name(f"{jars.name}-{hashlib.sha256(version).hexdigest()[:8]}.jsa")
