"""The configuration as a whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, JsonValue

from connector.auth.grant import is_access_token
from connector.config.dedup import Dedup
from connector.config.endpoint import EndpointSection, OauthSection
from connector.config.errors import ErrorsSection
from connector.config.kafka import KafkaSection, TopicsSection
from connector.config.mistake import Mistake
from connector.config.secret import Secret
from connector.config.section import Section, setting
from connector.config.values import (
    Duration,
    FieldPathText,
    FieldPathTexts,
    Flag,
    Host,
    Name,
    Size,
    Text,
    TopicName,
    Whole,
    choice,
    size_within,
)
from connector.presets import PRESETS, Preset

Delivery = Annotated[Literal["at_least_once"], choice("at_least_once")]
ValueFormat = Annotated[Literal["json"], choice("json")]
Level = Annotated[
    Literal["debug", "info", "warning", "error"],
    choice("debug", "info", "warning", "error"),
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]
LogFormat = Annotated[Literal["auto", "json", "console"], choice("auto", "json", "console")]


WRITE_TOKEN = "give the token alone: printable ASCII on one line (RFC 6749 A.12)"  # noqa: S105 - a remedy, no password


def _access_token(value: object) -> object:
    if not isinstance(value, str) or not value:
        return value
    if not value.strip():
        raise Mistake("is blank", "give it a value, or take the key out")
    if not is_access_token(value.strip()):
        raise Mistake("holds characters that no access token may have", WRITE_TOKEN)
    return value.strip()


AccessToken = Annotated[Secret, BeforeValidator(_access_token)]


class InboxSection(Section):
    """What is held between reading and publishing."""

    # What is smaller is full after the first frames, and sheds at once.
    max_bytes: Annotated[Size, *size_within("1MiB", "64GiB")] = setting(
        "64MiB",
        "Undelivered frames and unacknowledged rows together, of all subscriptions. When it is full, "
        "sessions are closed on purpose until Kafka has caught up.",
    )


class ShutdownSection(Section):
    """The end."""

    drain: Duration = setting(
        "20s", "How long rows already received may take to be published after SIGTERM, SIGINT or SIGHUP."
    )


class ValueSection(Section):
    """What a record's value is."""

    format: ValueFormat = setting(
        "json", "json: the row's own bytes; only halves of surrogate pairs are replaced, by U+FFFD."
    )


class SubscriptionSection(Section):
    """One GraphQL subscription and where its rows go."""

    name: Name = setting(..., "What logs, metrics and the record header 'subscription' call it; unique.")
    document: Text = setting(..., "A file beside this one, or the GraphQL itself (whatever holds a '{').")
    operation: Text | None = setting(None, "Which operation of a document that holds several.")
    variables: dict[str, JsonValue] = setting({}, "The values of the document's variables.")
    rows: FieldPathText | None = setting(
        None,
        "The path of response names to the list whose elements become records. Default: the root field; "
        "with the preset bitquery the single cube below it.",
    )
    topic: Text = setting(
        ...,
        "The topic's name; {network} stands for a variable, {Block.Number} for a field of the row that is "
        "named in key or headers.",
    )
    key: FieldPathTexts = setting(
        (),
        "Fields of a row that make the record's key: one is taken as its text, several as a JSON array. "
        "None: no key, spread over the partitions.",
    )
    timestamp: FieldPathText | None = setting(
        None, "The field of a row that is the record's timestamp. None: the time of arrival."
    )
    headers: dict[str, FieldPathText] = setting({}, "Further record headers: name → field of a row.")
    identity: FieldPathTexts | None = setting(
        None,
        "Fields of a row that tell it from every other one: rows with the same are the same row. Default: "
        "what the preset knows of the document's cube, if all of it is selected.",
    )
    dedup: Dedup = setting(
        None,
        "window: a row that comes again within the window is dropped (the default where rows have an "
        "identity). off: only where two sessions overlap (the default where they have none). A mapping: "
        "window, with other bounds.",
    )
    add_fields: Flag = setting(
        False,
        "Add to the document's rows what they lack of the preset's identity and cursor, or of those named "
        "here: the rows then have these fields too. Refused for aggregates, which would become other rows.",
    )
    value: ValueSection = setting({}, "What a record's value is.")


class HttpSection(Section):
    """The address of /livez, /readyz and /metrics."""

    host: Host = setting("0.0.0.0", "The address to listen on.")  # noqa: S104 - a pod is asked from outside
    port: Whole = setting(8083, "The port; 0: any that is free, named in the log.", ge=0, le=65535)


class LogSection(Section):
    """What is logged, to stderr."""

    level: Level = setting(
        "info", "The least level. The environment variable CONNECTOR_LOG_LEVEL overrides it."
    )
    format: LogFormat = setting("auto", "auto: console on a terminal, else json.")


class Config(Section):
    """A configuration. Once read, durations are ``float`` seconds and sizes ``int`` bytes."""

    name: Name = setting(..., "The connector's name: in logs, record headers and as Kafka's client.id.")
    endpoint: EndpointSection = setting(..., "The GraphQL endpoint.")
    oauth: OauthSection | None = setting(None, "How to obtain tokens. One of oauth, token and token_file.")
    token: AccessToken | None = setting(None, "A token that does not change.")
    token_file: Text | None = setting(
        None, "A file that holds the token; read again when its content changes."
    )
    kafka: KafkaSection = setting(..., "The brokers.")
    topics: TopicsSection = setting({}, "The topics that rows go to.")
    delivery: Delivery = setting("at_least_once", "at_least_once: every row received, some perhaps twice.")
    tasks: Whole = setting(
        1,
        "Buckets that subscriptions are dealt to, by name, and partitions of the offsets topic: it is fixed "
        "for the life of a connector's name.",
        ge=1,
        le=64,
    )
    offsets: Flag = setting(
        False,
        "Keep up to when each subscription is covered, in the topic <name>.offsets: after a restart the time "
        "between is declared as a gap. Rows come without that topic, too.",
    )
    errors: ErrorsSection = setting({}, "What is done about a row that cannot become a record.")
    events_topic: TopicName | None = setting(
        None,
        "The topic for gaps: a record where a subscription's rows stop being received, and one where they "
        "are again. Found or created like others, before any socket opens. None: gaps are logged and "
        "counted.",
    )
    inbox: InboxSection = setting({}, "What is held between reading and publishing.")
    shutdown: ShutdownSection = setting({}, "The end.")
    subscriptions: tuple[SubscriptionSection, ...] = setting(..., "What to subscribe to; at least one.")
    http: HttpSection = setting({}, "The address of /livez, /readyz and /metrics.")
    log: LogSection = setting({}, "What is logged, to stderr.")
    reload: Flag = setting(
        True,
        "Watch this file, the documents and the files of ${file:…}: changed subscriptions, log settings and "
        "secrets are applied while running. Anything else needs a restart, and is named in the log.",
    )

    @property
    def preset(self) -> Preset:
        """What is known of the endpoint."""
        return PRESETS[self.endpoint.preset]

    @property
    def token_source(self) -> Literal["oauth", "token", "token_file", "none"]:
        """Which of the alternatives is given; ``none``: the endpoint is used without a token."""
        if self.oauth is not None:
            return "oauth"
        if self.token is not None:
            return "token"
        return "token_file" if self.token_file is not None else "none"
