"""What runs of a configuration: its source tasks are started, changed and stopped here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import structlog
from anyio.abc import TaskGroup

from connector.config import Change, LoadedConfig
from connector.errors import FatalError
from connector.records.plan import SubscriptionPlan
from connector.task import SubscriptionRunner, Task, bucket

log = structlog.get_logger(__name__)


class TaskFactory(Protocol):
    """Makes tasks and their subscriptions, and holds what they share. Nothing here waits."""

    def reconfigure(self, loaded: LoadedConfig, change: Change) -> None:
        """Make everything by ``loaded`` from now on; what is shared takes what is new of it at once."""

    def update(self, task: Task, change: Change) -> None:
        """Let ``task``, which runs, take what is new outside of its subscriptions."""

    def task(self, number: int) -> Task:
        """Return task ``number``, from 0, without subscriptions."""

    def runner(self, plan: SubscriptionPlan, task: Task) -> SubscriptionRunner:
        """Return subscription ``plan``, for ``task``."""

    def forget(self, name: str) -> None:
        """Subscription ``name`` does not run here any more."""


class TaskEnded(FatalError):
    """Task ``number`` is over, and nobody has stopped it: alive but dead is what the process must not be."""

    def __init__(self, number: int) -> None:
        super().__init__(f"source task {number} ended by itself: worth a report; start the process again")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leaving:
    """A task that stops; ``ended`` is set when what it received is in Kafka."""

    task: Task
    ended: anyio.Event = field(default_factory=anyio.Event)


class Herder:
    """
    Runs tasks of ``loaded`` that ``factory`` makes: those that were started, before `run` or while it runs.

    Two tasks of one number never run beside each other: they would be one writer twice. A configuration that
    changes is applied by `apply`, to what it touches only. Satisfies reload's and worker's Protocols.
    """

    def __init__(self, loaded: LoadedConfig, factory: TaskFactory) -> None:
        self._loaded = loaded
        self._factory = factory
        self._tasks: dict[int, Task] = {}
        self._leaving: dict[int, _Leaving] = {}
        self._group: TaskGroup | None = None
        self._stopping = anyio.Event()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All that run or are about to, those that stop included."""
        return (*self._tasks.values(), *(leaving.task for leaving in self._leaving.values()))

    @property
    def undelivered(self) -> int:
        """Frames that were received and are not through, of all tasks."""
        return sum(task.undelivered for task in self.tasks)

    async def start_task(self, number: int) -> None:
        """
        Start task ``number`` with its subscriptions, once one of that number that stops has ended.

        Nothing happens where it runs already, or after `stop`. Cancelled while it waits, it is not started.

        Raises:
            ValueError: The configuration has no such task.
            Exception: What the factory raised; the task is not started, and the others are as they were.
        """
        if not 0 <= number < self._loaded.config.tasks:
            raise ValueError(f"there is no task {number} of {self._loaded.config.tasks}")
        while (leaving := self._leaving.get(number)) is not None:
            await leaving.ended.wait()
        if number in self._tasks or self._stopping.is_set():
            return
        self._tasks[number] = task = self._factory.task(number)
        if self._group is not None:
            self._group.start_soon(self._run, number, task)
        try:
            for plan in self._plans(number):
                task.add(self._factory.runner(plan, task))
        except BaseException:
            self._leave(number)  # those that were made give back what they hold
            raise

    async def stop_task(self, number: int) -> None:
        """
        Stop task ``number`` in good order; return once it has ended, and what it received is in Kafka.

        Before `run` it waits for that. Cancelled, it waits no more, and the task goes on stopping. Nothing
        happens where it does not run.
        """
        if number in self._tasks:
            self._leave(number)
        leaving = self._leaving.get(number)
        if leaving is not None:
            await leaving.ended.wait()

    async def run(self) -> None:
        """
        Run the tasks; return after `stop`, once what all of them received is in Kafka.

        Cancelled, what is not in Kafka stays counted in `undelivered`.
        """
        async with anyio.create_task_group() as self._group:
            running = {number: leaving.task for number, leaving in self._leaving.items()} | self._tasks
            for number, task in running.items():
                self._group.start_soon(self._run, number, task)
            await self._stopping.wait()

    def stop(self) -> None:
        """Close every session on purpose; no task is started any more."""
        self._stopping.set()
        for task in self._tasks.values():
            task.stop()

    def apply(self, loaded: LoadedConfig, change: Change) -> None:
        """
        Run ``loaded``, of which ``change`` is new and can be applied; never waits.

        Raises:
            Exception: What the factory raised; the subscriptions are as they were.
        """
        self._loaded = loaded
        self._factory.reconfigure(loaded, change)
        for task in self.tasks:
            self._factory.update(task, change)
        made = list(self._made(loaded, {*change.changed, *change.added}))
        # First who goes: an account may have room for so many streams only.
        for name in change.removed:
            left = self._task(name)
            if left is not None:
                left.remove(name)
        for task, runner in made:
            task.add(runner)

    def _made(self, loaded: LoadedConfig, names: set[str]) -> Iterator[tuple[Task, SubscriptionRunner]]:
        for plan in loaded.plans:
            if plan.name in names:
                warn_of(plan)
                task = self._task(plan.name)
                if task is not None:
                    yield task, self._factory.runner(plan, task)

    def _plans(self, number: int) -> Iterator[SubscriptionPlan]:
        for plan in self._loaded.plans:
            if bucket(plan.name, self._loaded.config.tasks) == number:
                yield plan

    def _task(self, name: str) -> Task | None:
        """The task that subscription ``name`` is in; ``None`` where that does not run here."""
        return self._tasks.get(bucket(name, self._loaded.config.tasks))

    def _leave(self, number: int) -> None:
        task = self._tasks.pop(number)
        self._leaving[number] = _Leaving(task=task)
        task.stop()

    async def _run(self, number: int, task: Task) -> None:
        await task.run()
        leaving = self._leaving.pop(number, None)
        if leaving is None and not self._stopping.is_set():
            raise TaskEnded(number)
        if leaving is not None:  # else all of them stop
            for runner in task.runners:
                self._factory.forget(runner.name)
            leaving.ended.set()


def warn_of(plan: SubscriptionPlan) -> None:
    """Log the doubts about a document."""
    for warning in plan.warnings:
        log.warning("document", subscription=plan.name, warning=warning)
