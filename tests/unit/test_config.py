"""The settings: defaults, file, environment, secrets, and what is said about a mistake."""

from pathlib import Path

import pytest

from engine.config import Settings, load
from engine.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "ringback.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(environment={})
    assert settings == Settings()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.store.url == "sqlite+aiosqlite:///ringback.db"
    assert [each.name for each in settings.asterisk] == ["pbx1"]
    assert settings.prompts.as_asterisk_sees_it == tmp_path / "prompts"
    assert settings.asterisk[0].ari_secret() is None


def test_a_file_beside_us_is_read_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "[http]\nport = 9\n")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).http.port == 9


def test_the_environment_goes_before_the_file_key_by_key(tmp_path: Path) -> None:
    path = written(tmp_path, '[http]\nport = 9\nhost = "0.0.0.0"\n[[asterisk]]\nname = "a"\nmax_calls = 5\n')
    settings = load(
        path,
        {
            "RINGBACK_HTTP__PORT": "10",
            "RINGBACK_ASTERISK__0__ARI_URL": "http://pbx:8088/ari/",
            "RINGBACK_ASTERISK__1__NAME": "b",
            "RINGBACK_PROMPTS__BUILD": "false",
            "RINGBACK_HTTP__TRUSTED_PROXIES": "10.0.0.1,10.0.0.2",
            "RINGBACK_URL": "http://of.the.command.line.invalid",
            "PATH": "/bin",
        },
    )
    assert (settings.http.port, settings.http.host) == (10, "0.0.0.0")  # noqa: S104  # read back, not listened on
    assert settings.http.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert [(each.name, each.max_calls, each.ari_url) for each in settings.asterisk] == [
        ("a", 5, "http://pbx:8088/ari"),
        ("b", 200, "http://127.0.0.1:8088/ari"),
    ]
    assert settings.prompts.build is False


def test_secrets_come_from_files_or_the_environment_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "ari").write_text("from a file\n", "utf-8")
    path = written(tmp_path, f'[[asterisk]]\nari_password_file = "{tmp_path / "ari"}"\n')
    environment = {
        "RINGBACK_ASTERISK__0__AMI_PASSWORD": "from the environment",
        "RINGBACK_STORE__URL": "postgresql+asyncpg://user:hush@host/db",
    }
    settings = load(path, environment)
    ari, ami = settings.asterisk[0].ari_secret(), settings.asterisk[0].ami_secret()
    assert ari is not None
    assert ari.get_secret_value() == "from a file"
    assert ami is not None
    assert ami.get_secret_value() == "from the environment"
    for shown in (repr(settings), str(settings), repr(settings.store), str(settings.asterisk)):
        assert "from the environment" not in shown
        assert "hush" not in shown


def test_a_secret_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '[[asterisk]]\nari_password = "hush"\n')
    with pytest.raises(ConfigError, match=r"asterisk\.ari_password must not stand in .*set ari_password_file") as error:
        load(path, {})
    assert "hush" not in str(error.value)


def test_a_secrets_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    settings = load(written(tmp_path, f'[[asterisk]]\nari_password_file = "{tmp_path / "none"}"\n'), {})
    with pytest.raises(ConfigError, match=r"ari_password_file: cannot read .*none: No such file"):
        settings.asterisk[0].ari_secret()
    (tmp_path / "none").write_text("\n", "utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        settings.asterisk[0].ari_secret()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[htpp]\n", r"unknown key htpp in .*ringback\.toml; did you mean http\?"),
        ("[http]\nprot = 1\n", r"unknown key http\.prot in .*ringback\.toml; did you mean http\.port\?"),
        (
            "[[asterisk]]\nari_usr = 'x'\n",
            r"unknown key asterisk\.0\.ari_usr in .*; did you mean asterisk\.0\.ari_user\?",
        ),
        ("[http]\nzzz = 1\n", r"unknown key http\.zzz in .*; known here: allowed_origins, host, port, public_url"),
        ("[http]\nport = 'x'\n", r"http\.port in .*ringback\.toml: .*integer"),
        ("[http]\nport = 70000\n", r"http\.port in .*less than or equal to 65535"),
        ("http = 5\n", r"http in .*ringback\.toml"),
        ("[http]\npublic_url = 'example.com'\n", r"http\.public_url in .*must be an address such as"),
        ("asterisk = []\n", "asterisk is empty"),
        ("[[asterisk]]\n[[asterisk]]\n", "same name"),
        ("[prompts]\ndelivery = 'http'\n", "not available in this version"),
        ("[log]\nlevel = 'loud'\n", r"log\.level in "),
        ("not toml", "is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load(written(tmp_path, text), {})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RINGBACK_HTTP__PROT", "1", r"unknown key http\.prot in environment variable RINGBACK_HTTP__PROT"),
        ("RINGBACK_HTTP__PORT", "hush", r"http\.port in environment variable RINGBACK_HTTP__PORT: "),
        ("RINGBACK_ASTERISK__NAME", "x", "name the place in the list first"),
        ("RINGBACK_ASTERISK__3__NAME", "x", "must be 0 to 0"),
        ("RINGBACK_HTTP__PORT__X", "x", r"http\.port|is a single value|integer"),
    ],
)
def test_a_mistake_in_the_environment_is_one_clear_line(
    tmp_path: Path, variable: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load(written(tmp_path, ""), {variable: value})
    assert "hush" not in str(error.value)


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*; name an existing file with --config"):
        load(tmp_path / "nothing.toml", {})


@pytest.mark.parametrize(
    "endpoint",
    [
        "PJSIP/{number}@trunk",
        "PJSIP/{e164}@trunk-1",
        "PJSIP/trunk/sip:{number}@host",
        "PJSIP/trunk-1/sip:{e164}@sip.carrier.example:5080",
        "PJSIP/trunk/sips:+{number}@192.0.2.7",
    ],
)
def test_an_endpoint_for_customers(endpoint: str) -> None:
    environment = {"RINGBACK_ASTERISK__0__CUSTOMER_ENDPOINT": endpoint}
    assert load(environment=environment).asterisk[0].customer_endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "PJSIP/trunk",
        "PJSIP/{number}{e164}@trunk",
        "PJSIP/{number}{number}@trunk",
        "PJSIP/{number}@trunk&PJSIP/x",
        "PJSIP/{number}@trunk,30",
        "Local/{number}@x",
        "PJSIP/{number}@trunk\n",
        "PJSIP/{number}@{x}",
        "PJSIP/{number}/sip:100@host",
        "PJSIP/trunk/sip:100@{number}",
        "PJSIP/trunk/{number}@host",
        "PJSIP/trunk/sip:{number}",
        "PJSIP/trunk/sip:{number}@host&PJSIP/x",
        "PJSIP/trunk/sip:{number}@host/x",
        "PJSIP/trunk/sip:{number}@host;user=phone",
        "PJSIP/trunk/sip:{number}@host\n",
    ],
)
def test_an_endpoint_that_could_dial_something_else_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="customer_endpoint"):
        load(environment={"RINGBACK_ASTERISK__0__CUSTOMER_ENDPOINT": endpoint})


@pytest.mark.parametrize("proxies", ["10.0.0.0/8", "proxy.example", "10.0.0.1,", "10.0.0.1:8080"])
def test_a_proxy_that_no_client_can_be_is_refused(proxies: str) -> None:
    with pytest.raises(ConfigError, match="must be the IP address of one proxy"):
        load(environment={"RINGBACK_HTTP__TRUSTED_PROXIES": proxies})


def test_a_proxys_address_is_known_however_it_is_written() -> None:
    settings = load(environment={"RINGBACK_HTTP__TRUSTED_PROXIES": "10.0.0.1, 2001:DB8::0:1"})
    assert settings.http.trusted_proxies == ("10.0.0.1", "2001:db8::1")


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.20", "::1", "fd00:10:20::30", "ringback", "ear-1.example"])
def test_the_ear_listens_at_an_address_or_a_name(tmp_path: Path, host: str) -> None:
    assert load(written(tmp_path, f'[[asterisk]]\near_host = "{host}"\n'), {}).asterisk[0].ear_host == host


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("", "IP address or a host name"),
        ("127.0.0.1:5000", "without a port"),
        ("a,b", "IP address or a host name"),
        ("a b", "IP address or a host name"),
        ("a&System(x)", "IP address or a host name"),
        ("${EXTEN}", "IP address or a host name"),
        ('\\"', "IP address or a host name"),
        ("a|b", "IP address or a host name"),
        ("a;b", "IP address or a host name"),
        ("-a", "IP address or a host name"),
        ("0", "IP address or a host name"),
        ("127.1", "IP address or a host name"),
        ("0x0", "IP address or a host name"),
        ("a..b", "IP address or a host name"),
        ("a\\n", "IP address or a host name"),
        ("[::1]", "IP address or a host name"),
        ("0.0.0.0", "the one address"),  # noqa: S104 - refused, not listened on
        ("::", "the one address"),
        ("ff02::1", "the one address"),
        ("fe80::1%eth0", "interface"),
        ("2001:db8:1111:2222:3333:4444:5555:6666", "too long"),
    ],
)
def test_an_ear_that_asterisk_cannot_be_told_of_is_refused(tmp_path: Path, host: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load(written(tmp_path, f'[[asterisk]]\near_host = "{host}"\n'), {})
