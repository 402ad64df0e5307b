"""The checks of the documentation, on pages that are right and pages that are wrong."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs import Page, check_page, documentation

ROOT = Path(__file__).parents[2]


def said(text: str, name: str = "README.md") -> list[str]:
    """What the checks say of ``text`` as the page ``name``."""
    return [finding.message for finding in check_page(Page(root=ROOT, path=ROOT / name, text=text))]


def yaml(text: str) -> str:
    return f"```yaml\n{text}\n```\n"


def test_every_page_is_documentation() -> None:
    # What is wrong with them is for `make lint` to say.
    pages = {page.name for page in documentation(ROOT)}

    assert {"README.md", "CHANGELOG.md", ".github/SECURITY.md", "docs/operations.md"} <= pages


def test_the_first_page_is_short_and_says_first_what_it_is() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(text.split()) <= 1000
    assert text.split("\n\n")[1].startswith("A Kafka source connector for GraphQL subscriptions.")


def test_each_promise_of_the_first_page_is_told_with_how_far_it_is_kept() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8")
    promises = [
        line.removeprefix("- ")
        for line in first.partition("## Promises\n")[2].partition("\n## ")[0].splitlines()
        if line.startswith("- ")
    ]
    table = (ROOT / "docs/promises.md").read_text(encoding="utf-8").partition("\nTwo more")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]

    assert [row[0].removeprefix("| ") for row in rows] == promises
    assert all("::test_" in row[2] for row in rows)


def test_the_floors_of_the_architecture_are_those_that_are_checked() -> None:
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    rooms = {
        room.strip()
        for contract in layers["contracts"]
        for floor in contract.get("layers", ())
        for room in re.split("[|:]", floor)
    }
    told = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    assert not sorted(room for room in rooms - {"__main__"} if f"connector/{room}" not in told)


def test_the_index_leaves_no_page_out() -> None:
    page = Page.read(ROOT, ROOT / "docs/README.md")
    linked = {link.text.partition("#")[0] for link in page.links()}

    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= linked


def test_a_finding_says_where() -> None:
    page = Page(root=ROOT, path=ROOT / "README.md", text="fine\n\n`connector go`\n")

    assert [str(finding) for finding in check_page(page)] == ["README.md:3: connector has no command go"]


@pytest.mark.parametrize(
    "command",
    [
        "connector run -c FILE",
        "$ connector validate --config=dex.yaml --no-env | tail -1",
        "connector demo --seconds 20 --json",
        "connector --version",
        "python -m connector run -c F",
        ".venv/bin/connector demo   # for half a minute",
        'make demo ARGS="--seconds 20 --json"',
        "make test PYTHON=python3.12",
        # Not a command, but a line of the log.
        "connector starts",
    ],
)
def test_commands_that_exist_are_fine(command: str) -> None:
    assert said(f"`{command}`") == []
    assert said(f"```sh\n{command}\n```") == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("connector chekc -c F", "connector has no command chekc"),
        ("connector run --confg F", "connector run has no option --confg"),
        ("connector demo --no-env", "connector demo has no option --no-env"),
        ("connector validate FILE", "FILE is one word too many"),
        ("make tset", "the Makefile has no target tset"),
        ("make demo ARG=1", "the Makefile has no variable ARG"),
    ],
)
def test_commands_that_do_not_exist_are_named(command: str, message: str) -> None:
    assert said(f"`{command}`") == [message]
    assert said(f"```console\n$ {command}\n```") == [message]


def test_a_continued_command_is_read_to_its_end() -> None:
    assert said("```sh\nconnector demo \\\n  --secs 3\n```") == ["connector demo has no option --secs"]


def test_what_a_command_prints_is_not_a_command() -> None:
    assert said("```text\nconnector demo: 20 s of streaming\n```") == []


def test_a_module_that_is_run_must_be_there() -> None:
    assert said("`python -m tests.dcs`") == ["there is no module tests.dcs"]


@pytest.mark.parametrize(
    "key",
    [
        "endpoint.keepalive_timeout",
        "subscriptions[].rows",
        "subscriptions[0].key",
        "config.oauth.client_secret",
        "topics.config.retention.ms",
        "topics.create: false",
        "endpoint.rotation: never",
        "delivery: exactly_once",  # refused by name, so that it may be named
        "endpoint.rotation: overlap",
        "errors.dead_letter_topic",
        "subscriptions[].backfill",
        "connection_ack",
        "max.message.bytes",
    ],
)
def test_keys_that_the_configuration_knows_are_fine(key: str) -> None:
    assert said(f"`{key}`") == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("endpoint.keepalive", "the configuration has no key endpoint.keepalive"),
        ("endpont.url", "the configuration has no key endpont.url"),
        ("subscriptions[].rows.first", "the configuration has no key subscriptions[].rows.first"),
        ("endpoint.rotation: sometimes", "endpoint.rotation does not take sometimes"),
        ("topics.create: maybe", "topics.create does not take maybe"),
        ("shutdown.drain: 20", "shutdown.drain does not take 20"),
        ("delivery: twice", "delivery does not take twice"),
        ("keepalive_timout", "there is no key keepalive_timout; did you mean keepalive_timeout?"),
    ],
)
def test_keys_that_the_configuration_does_not_know_are_named(key: str, message: str) -> None:
    assert said(f"`{key}`") == [message]


def test_a_whole_configuration_is_read_as_it_stands() -> None:
    whole = (ROOT / "docs/examples/bitquery.yaml").read_text(encoding="utf-8")

    assert said(yaml(whole)) == []
    wrong = whole.replace("timestamp: Block.Time", "timestamp: Block.Tim")
    assert said(yaml(wrong)) == ["subscriptions[0].timestamp: a row of EVM.DEXTrades has no Block.Tim"]


def test_a_part_of_a_configuration_needs_nothing_else() -> None:
    assert said(yaml("kafka: {compression: zstd}")) == []
    assert said(yaml("token_file: /run/secrets/token")) == []
    assert said(yaml("kafka: {compresion: zstd}")) == ["kafka.compresion: is an unknown key"]
    assert said(yaml("kafka: {compression: zip}")) != []


def test_values_of_the_chart_are_told_by_their_keys() -> None:
    assert said(yaml("existingSecret: bitquery\nconfig: {kafka: {compression: zstd}}")) == []
    assert said(yaml("existingSecret: x\nexistingSecrets: y")) == ["the chart has no value existingSecrets"]
    assert said(yaml("existingSecret: x\nconfig: {kafka: {kompression: lz4}}")) == [
        "kafka.kompression: is an unknown key"
    ]


def test_what_is_not_yaml_is_named() -> None:
    assert said(yaml("a: [")) != []


def test_metrics_and_their_labels_are_known() -> None:
    known = 'rate(connector_reconnects_total{subscription="x",reason=~"shed"}[5m])'
    assert said(f"`{known}` and connector_receive_to_ack_seconds_bucket") == []
    assert said("`connector_reconnects`") == ["there is no metric connector_reconnects"]
    assert said("`connector_gaps_total{cause}`") == ["connector_gaps_total has no label cause"]


def test_links_lead_to_files_and_headings() -> None:
    good = "[a](docs/configuration.md#top-level) [b](https://example.org/x) [c](#here)\n\n## Here\n"
    assert said(good) == []
    assert said("[a](docs/nowhere.md)") == ["the link docs/nowhere.md leads nowhere"]
    assert said("[a](docs/configuration.md#nowhere)") == [
        "the link docs/configuration.md#nowhere names no heading of configuration.md"
    ]
    assert said("[a](LICENSE)", name="docs/x.md") == ["the link LICENSE leads nowhere"]


def test_files_and_tests_in_backticks_exist() -> None:
    assert said("`tests/unit/test_docs.py::test_files_and_tests_in_backticks_exist`") == []
    assert said("`connector/wirring.py`") == ["there is no connector/wirring.py"]
    assert said("`tests/unit/test_docs.py::test_nothing`") == [
        "there is no test tests/unit/test_docs.py::test_nothing"
    ]


@pytest.mark.parametrize("place", ["/home/me/connector", "/tmp/x", "https://pypi.org/simple", "ghcr.io/x/y"])
def test_places_of_one_machine_are_named(place: str) -> None:
    assert len(said(f"see {place}")) == 1


def test_the_guide_to_operations_leaves_nothing_out_and_invents_nothing() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    before = set(said(text, name="docs/operations.md"))
    less = text.replace("connector_sheds_total", "").replace("`reopen`", "").replace("`shedding`", "")
    less = less.replace("| `session ended` |", "| `session is over` |")
    assert set(said(less, name="docs/operations.md")) - before == {
        "leaves out the log line 'session ended'",
        "leaves out the metric connector_sheds_total",
        "leaves out the reason reopen",
        "leaves out the state shedding",
        "tells of 'session is over', which is never logged",
    }
