"""The configuration: from where it comes, what wins, and what is said when it is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from frontdesk.config.loader import DEMO, load
from frontdesk.core.errors import ConfigurationError

Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_yaml_and_toml_say_the_same(write: Write) -> None:
    from_yaml = load(write("web: {port: 9001}\nlanguages: [de, en]\n", "a.yaml")).settings
    from_toml = load(write('languages = ["de", "en"]\n[web]\nport = 9001\n', "a.toml")).settings
    assert from_yaml.web.port == from_toml.web.port == 9001
    assert from_yaml.languages == from_toml.languages == ("de", "en")


def test_the_environment_wins_over_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("web: {port: 9001, host: 127.0.0.2}")
    monkeypatch.setenv("FRONTDESK_WEB__PORT", "9002")
    monkeypatch.setenv("FRONTDESK_CHANNELS__WEB__TITLE", "Shop")
    configuration = load()
    assert (configuration.settings.web.port, configuration.settings.web.host) == (9002, "127.0.0.2")
    assert configuration.settings.channels.web.title == "Shop"
    assert configuration.origins["web.port"] == "the environment, FRONTDESK_WEB__PORT"
    assert configuration.origins["web.host"] == "frontdesk.yaml"


@pytest.mark.parametrize("value", ["de,en", '["de", "en"]', " de , en "])
def test_a_list_in_the_environment_needs_no_json(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FRONTDESK_LANGUAGES", value)
    assert load().settings.languages == ("de", "en")


def test_the_demo_runs_only_without_a_file(write: Write) -> None:
    configuration = load()
    assert configuration.demo
    assert [path.name for path in configuration.settings.plugin_sections["replies"].sources] == ["knowledge"]  # type: ignore[attr-defined]
    write("web: {port: 9001}")
    own = load()
    assert not own.demo
    assert own.file != DEMO
    assert not own.settings.plugin_sections["replies"].sources  # type: ignore[attr-defined]


def test_the_variable_and_the_option_name_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_CONFIG", str(write("web: {port: 9001}", "one.yaml")))
    assert load().settings.web.port == 9001
    assert load(write("web: {port: 9002}", "two.yaml")).settings.web.port == 9002
    with pytest.raises(ConfigurationError, match="there is no file"):
        load(Path("three.yaml"))


def test_paths_in_a_file_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    path = write("data_folder: kept\nplugins: {replies: {sources: [articles]}}", "shop/frontdesk.yaml")
    settings = load(path).settings
    assert settings.data_folder == tmp_path / "shop" / "kept"
    assert settings.store_path == tmp_path / "shop" / "kept" / "frontdesk.db"
    assert settings.plugin_sections["replies"].sources == (tmp_path / "shop" / "articles",)  # type: ignore[attr-defined]


def test_a_key_without_a_value_counts_as_not_given(write: Write) -> None:
    assert load(write("web:\ntimezone:\nchannels:\n  console:\n")).settings.timezone == "UTC"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("web: {prot: 80}", ["web.prot, from frontdesk.yaml", "did you mean `web.port`?"]),
        ("chanels: {}", ["chanels", "did you mean `channels`?"]),
        ("channels: {wbe: {}}", ["channels.wbe", "did you mean `channels.web`?"]),
        ("channels: {web: {colour: red}}", ["did you mean `channels.web.color`?"]),
        ("plugins: {repiles: {}}", ["did you mean `plugins.replies`?"]),
        ("plugins: {order: [oders]}", ["plugins.order (FRONTDESK_PLUGINS__ORDER)", "did you mean 'orders'?"]),
        ("web: {port: abc}", ["web.port (FRONTDESK_WEB__PORT) = 'abc'", "must be a valid integer", "the default is 8080"]),
        ("web: {port: 70000}", ["= 70000", "must be less than or equal to 65535"]),
        ("store: {kind: mysql}", ["'mysql'", "must be 'sqlite' or 'memory'"]),
        ("timezone: Mars/Base", ["'Mars/Base'", "Europe/Berlin"]),
        ("languages: [en, no]", ["languages.1 (FRONTDESK_LANGUAGES) = False", "put it into quotes"]),
        ("web: {base_url: shop.example}", ["https://chat.shop.example"]),
        ("channels: {web: {burst_seconds: -1}}", ["channels.web.burst_seconds", "greater than or equal to 0"]),
        ("plugins: {folders: [missing]}", ["plugins.folders (FRONTDESK_PLUGINS__FOLDERS)", "make it, or correct the path"]),
        ("web: [", ["frontdesk.yaml, line 1", "not valid YAML"]),
        ("- web", ["must hold keys with values"]),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_the_fix(write: Write, text: str, parts: list[str]) -> None:
    write(text)
    with pytest.raises(ConfigurationError) as caught:
        load()
    for part in parts:
        assert part in str(caught.value)


def test_nobody_is_told_to_leave_out_what_is_needed(write: Write) -> None:
    """Of a key without a default it is for the section to say whether it is needed."""
    write("channels: {email: {address: shop, password: x, imap_host: m.example, smtp_host: m.example}}")
    with pytest.raises(ConfigurationError, match="write the bare address") as refused:
        load()
    assert "leave it out" not in str(refused.value)


def test_slack_without_keys_is_refused_before_the_start(write: Write) -> None:
    write("channels: {slack: {agents: {channel: C012345}}}")
    with pytest.raises(ConfigurationError) as refused:
        load()
    for key in ("bot_token (FRONTDESK_CHANNELS__SLACK__BOT_TOKEN)", "signing_secret"):
        assert f"channels.slack.{key}" in str(refused.value)
    assert "agents.account" not in str(refused.value)


def test_all_that_is_wrong_is_told_at_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("web: {port: 0}\nlogging: {levle: info}\nplugins: {replies: {threshold: 7}}")
    monkeypatch.setenv("FRONTDESK_STROE__KIND", "memory")
    with pytest.raises(ConfigurationError) as caught:
        load()
    first, *problems = str(caught.value).splitlines()
    assert first == "4 things are wrong:"
    for problem, part in zip(problems, ["web.port", "plugins.replies.threshold", "logging.level", "'store'"], strict=True):
        assert part in problem


def test_a_secret_is_never_shown(write: Write) -> None:
    write("channels: {web: {secret: hunter2}}")
    with pytest.raises(ConfigurationError, match=r"channels\.web\.secret .*= \*{6}") as caught:
        load()
    assert "hunter2" not in str(caught.value)


def test_an_empty_secret_leaves_the_message_readable(write: Write) -> None:
    write("channels: {web: {secret: ''}}")
    with pytest.raises(ConfigurationError, match="a secret needs at least 32 characters"):
        load()


@pytest.mark.parametrize(
    "text",
    [
        "channels: {web: [{secret: hunter2}]}",
        "channels: [{web: {secret: hunter2}}]",
        "web: {base_url: 'ftp://ann:hunter2@shop.example'}",
    ],
)
def test_a_secret_within_a_wrong_value_is_not_shown(write: Write, text: str) -> None:
    write(text)
    with pytest.raises(ConfigurationError, match=r"\*{6}") as caught:
        load()
    assert "hunter2" not in str(caught.value)


def test_variables_of_others_that_look_like_ours_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("FRONTDESK_PORT_8080_TCP", "tcp://10.0.0.1:8080")
    assert load().settings.web.host == "127.0.0.1"


def test_a_channel_is_turned_off_and_its_settings_are_left_alone(write: Write) -> None:
    write("channels: {desk: {enabled: false, nonsense: 1}}")
    configuration = load()
    assert "desk" not in configuration.channels
    assert "desk" not in configuration.settings.enabled_channels


@pytest.mark.parametrize("value", ["false", "0", "off"])
def test_a_channel_is_turned_off_by_the_environment(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FRONTDESK_CHANNELS__DESK__ENABLED", value)
    assert sorted(load().settings.enabled_channels) == ["web"]


def test_a_channel_runs_when_it_is_named(write: Write) -> None:
    write("channels: {console: {customer: Ann}}")
    assert load().settings.channels.console.customer == "Ann"
