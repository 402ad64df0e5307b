"""Configuration → source tasks and their subscriptions."""

from __future__ import annotations

from connector.config import Change, LoadedConfig, Part
from connector.publish import DeadLetterOrigin, DeadLetters, EventsTopic, GapEvents, Publisher
from connector.publish.offsets import OffsetsTopic
from connector.records.plan import SubscriptionPlan
from connector.subscription import MemoryBudget
from connector.task import Shared, SubscriptionRunner, Task, TaskOffsets
from connector.telemetry import (
    GapEventMetrics,
    Metrics,
    OffsetsMetrics,
    PublisherMetrics,
    Redactor,
    SeamMetrics,
    SubscriptionMetrics,
    configure_logs,
)
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.rotations import rotation_limiter
from connector.wiring.settings import (
    dead_letter_topic_of,
    follow_settings,
    publish_settings,
    refusals_of,
    session_settings,
    target_of,
)
from connector.wiring.token_access import TokenAccess


class ConfiguredTasks:
    """
    Makes tasks by ``loaded``. Satisfies herder's `TaskFactory`.

    What all tasks share is given: ways to tokens and brokers, the memory's ``budget``, the ``metrics``, the
    topic of ``offsets`` (``None``: they are not kept); and ``redactor``, which a changed log needs too.
    """

    def __init__(
        self,
        loaded: LoadedConfig,
        *,
        tokens: TokenAccess,
        kafka: KafkaAccess,
        budget: MemoryBudget,
        metrics: Metrics,
        redactor: Redactor,
        offsets: OffsetsTopic | None = None,
    ) -> None:
        self._config = loaded.config
        self._tokens = tokens
        self._kafka = kafka
        self._metrics = metrics
        self._redactor = redactor
        self._offsets = offsets
        self._session = session_settings(loaded)
        self._refusals = refusals_of(loaded.config)
        rotations = rotation_limiter(loaded.config, tokens.keeper)
        self._shared = Shared(keeper=tokens.keeper, budget=budget, rotations=rotations, hide=redactor.hide_in)
        self._dead_letters: dict[int, DeadLetters | None] = {}
        self._seams = SeamMetrics(metrics, self._shared.clock)
        metrics.at_scrape(self._seams.measure)

    def reconfigure(self, loaded: LoadedConfig, change: Change) -> None:
        """See `TaskFactory`."""
        self._config = config = loaded.config
        if Part.LOG in change.parts:
            configure_logs(config.log.level, config.log.format, self._redactor)
        if change.parts & {Part.TOKEN, Part.ENDPOINT}:
            self._tokens.replace(loaded)  # certificates and proxies are inherited from the endpoint
        if Part.ENDPOINT in change.parts:
            self._session = session_settings(loaded)
        if Part.KAFKA in change.parts:
            settings = self._kafka.replace(loaded)
            if self._offsets is not None:
                self._offsets.reconfigure(settings)

    def update(self, task: Task, change: Change) -> None:
        """See `TaskFactory`."""
        if Part.ENDPOINT in change.parts:
            target = target_of(self._config)
            for runner in task.runners:
                runner.retarget(target, self._session)
        if Part.KAFKA in change.parts:
            task.publisher.reconfigure(self._kafka.settings)

    def task(self, number: int) -> Task:
        """See `TaskFactory`."""
        observer = PublisherMetrics(self._metrics)
        publisher = Publisher(self._kafka.settings, publish_settings(self._config), observer)
        self._dead_letters[number] = self._dead_letters_of(number, publisher)
        return Task(
            number,
            (),
            publisher,
            gone=self.forget,
            events=self._events_topic(publisher),
            offsets=self._offsets_of(number),
        )

    def runner(self, plan: SubscriptionPlan, task: Task) -> SubscriptionRunner:
        """See `TaskFactory`."""
        runner = SubscriptionRunner(
            follow_settings(self._config, plan, self._session, self._refusals),
            shared=self._shared,
            publisher=task.publisher,
            observer=SubscriptionMetrics(self._metrics, plan.name),
            dead_letters=self._dead_letters[task.number],
            events=self._gap_events(plan.name, task),
            offsets=task.offsets,
        )
        self._seams.follow(plan.name, runner.seam)
        return runner

    def forget(self, name: str) -> None:
        """See `TaskFactory`."""
        self._seams.forget(name)
        self._metrics.forget_subscription(name)

    def _gap_events(self, name: str, task: Task) -> GapEvents | None:
        if task.events is None:
            return None
        return task.events.of(name, GapEventMetrics(self._metrics, name))

    def _events_topic(self, publisher: Publisher) -> EventsTopic | None:
        name = self._config.events_topic
        return None if name is None else EventsTopic(publisher, name, connector=self._config.name)

    def _offsets_of(self, number: int) -> TaskOffsets | None:
        if self._offsets is None:
            return None
        return TaskOffsets(number, self._offsets, OffsetsMetrics(self._metrics))

    def _dead_letters_of(self, number: int, publisher: Publisher) -> DeadLetters | None:
        name = dead_letter_topic_of(self._config)
        if name is None:
            return None
        return DeadLetters(publisher, name, DeadLetterOrigin(connector=self._config.name, task=number))
