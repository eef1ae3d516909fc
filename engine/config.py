"""The settings of one engine: `ringback.toml`, with each key also as `RINGBACK_SECTION__KEY` in the environment.

What is served and by whom stands in the services document, not here. Secrets come from files or from the environment
only, never from the TOML file itself, and no message or representation shows them. An unknown key stops the start:
a setting that is misspelt must not silently have no effect.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.config_values import Delivery, EarHost, EndpointTemplate, HttpAddress, IpAddress, Name, Origin, Port
from engine.errors import ConfigError

MAX_BODY_BYTES = 64 * 1024
"""The largest request body; a services document may have MAX_DOCUMENT_BYTES."""
MAX_DOCUMENT_BYTES = 1024 * 1024

_PREFIX = "RINGBACK_"
_SECRETS = frozenset({"ari_password", "ami_password"})


class Section(BaseModel):
    """One section; keys it does not know are refused, and values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(Section):
    """Where the HTTP intake listens."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: HttpAddress = Field(
        "http://127.0.0.1:8080", description="How customers reach this engine; links sent to them begin with it."
    )
    allowed_origins: tuple[Origin, ...] = Field(
        (), description="Origins besides that of `public_url` whose pages agents use with their session's cookie."
    )
    trusted_proxies: tuple[IpAddress, ...] = Field(
        (), description="IP addresses of reverse proxies whose X-Forwarded-For is believed for limits per address."
    )


class StoreSettings(Section):
    """Where requests and calls are written down."""

    url: str = Field("sqlite+aiosqlite:///ringback.db", description="Database address as SQLAlchemy writes it.")

    store_down_seconds: float = Field(
        5.0,
        gt=0,
        le=300,
        description="While nothing can be written for longer than this, customers who have not confirmed are let go.",
    )

    def __repr__(self) -> str:
        # The address of a database server may hold a password.
        shown = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.url)
        return f"StoreSettings(url={shown!r}, store_down_seconds={self.store_down_seconds})"

    __str__ = __repr__


class PromptSettings(Section):
    """Where the voice prompts lie."""

    dir: Path = Field(Path("prompts"), description="Folder of the built prompts, as this engine sees it.")
    asterisk_dir: Path | None = Field(
        None, description="The same folder as Asterisk sees it; left out, `dir` made absolute."
    )
    delivery: Delivery = Field(
        "shared", description="How Asterisk gets the prompts. `shared`: from a folder that both see."
    )
    build: bool = Field(
        True, description="Build missing prompts when a services document is applied, and at the start."
    )

    @property
    def as_asterisk_sees_it(self) -> Path:
        """Absolute path of the prompts on Asterisk's machine."""
        return self.asterisk_dir or self.dir.absolute()


class AsteriskSettings(Section):
    """One Asterisk: how to reach it and what it may be asked to do."""

    name: Name = Field("pbx1", description="Name in logs, health and figures.")
    ari_url: HttpAddress = Field("http://127.0.0.1:8088/ari", description="Address of its ARI.")
    ari_user: Name = Field("ringback", description="ARI user.")
    ari_password_file: Path | None = Field(None, description="File that holds the ARI password.")
    ari_password: SecretStr | None = Field(None, description="ARI password; from the environment only.")
    application: Name = Field("ringback", description="Name of our Stasis application.")
    ami_host: str = Field("127.0.0.1", description="Host of its manager interface.")
    ami_port: Port = Field(5038, description="Port of its manager interface.")
    ami_user: Name = Field("ringback", description="Manager user.")
    ami_password_file: Path | None = Field(None, description="File that holds the manager password.")
    ami_password: SecretStr | None = Field(None, description="Manager password; from the environment only.")
    customer_endpoint: EndpointTemplate = Field(
        "PJSIP/{number}@trunk",
        description="How a customer is dialled; {number}: digits without +, {e164}: with +. "
        "`PJSIP/trunk/sip:{number}@host:port` dials through `trunk` but to that address.",
    )
    ear_host: EarHost = Field(
        "127.0.0.1",
        description="Address of this machine, or its name, at which the engine hears customers before they have "
        "confirmed; Asterisk must reach it, so it cannot be 0.0.0.0.",
    )
    ear_port: int = Field(0, ge=0, le=65535, description="Port for that; 0 takes a free one.")
    max_ears: int = Field(
        100, ge=0, le=10_000, description="Customers heard at once at most; 0: only Asterisk's talk detection is used."
    )
    recovery_settle_seconds: float = Field(
        5.0,
        ge=0.5,
        le=60,
        description="A call leg is gone only when two looks this far apart do not find it.",
    )
    max_calls: int = Field(200, ge=1, le=100_000, description="Calls to customers at once at most.")
    calls_per_second: float = Field(10.0, gt=0, le=10_000, description="New calls to customers a second at most.")

    def ari_secret(self) -> SecretStr | None:
        """The ARI password; None if none is set. Raises ConfigError when its file cannot be read."""
        return self._secret("ari_password")

    def ami_secret(self) -> SecretStr | None:
        """The manager password; None if none is set. Raises ConfigError when its file cannot be read."""
        return self._secret("ami_password")

    def _secret(self, name: str) -> SecretStr | None:
        given: SecretStr | None = getattr(self, name)
        path: Path | None = getattr(self, f"{name}_file")
        if given is not None or path is None:
            return given
        return read_secret(path, f"asterisk {self.name}: {name}_file")


class LimitSettings(Section):
    """What one client may ask."""

    requests_per_minute_per_address: int = Field(
        30, ge=1, le=100_000, description="POST /callbacks with a public key, for each client address."
    )


class AgentSettings(Section):
    """How agents come in, how many of their screens may listen, and who counts as absent."""

    session_seconds: float = Field(
        43200.0, ge=60, le=30 * 86400, description="A session ends so long after the login, whatever happens meanwhile."
    )
    failed_logins_per_minute_per_address: int = Field(
        20, ge=1, le=100_000, description="Wrong passwords from one client address; beyond it logins are refused."
    )
    failed_logins_per_minute_per_username: int = Field(
        10, ge=1, le=100_000, description="Wrong passwords for one username; beyond it its logins are refused."
    )
    max_streams_per_agent: int = Field(5, ge=1, le=1000, description="Event streams that one agent may have open.")
    max_streams: int = Field(2000, ge=1, le=100_000, description="Event streams of all agents together.")
    grace_seconds: float = Field(
        60.0,
        ge=5,
        le=3600,
        description="After a start, agents who were ready before it and have neither a screen nor a registered phone "
        "within this time are set to not ready.",
    )


class LogSettings(Section):
    """How the engine reports what it does."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level written.")
    format: Literal["console", "json"] = Field("console", description="For people, or one JSON object a line.")
    personal: bool = Field(False, description="Write phone numbers and names, under `pii.` keys; else leave them out.")


class Settings(BaseSettings):
    """All settings of one engine. Build them with `load`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    prompts: PromptSettings = PromptSettings()
    asterisk: tuple[AsteriskSettings, ...] = (AsteriskSettings(),)
    agents: AgentSettings = AgentSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    admin_key_file: Path | None = Field(None, description="File that holds the first administrator's key.")

    @model_validator(mode="after")
    def _names_differ(self) -> Settings:
        names = [each.name for each in self.asterisk]
        if not names:
            raise ValueError("asterisk is empty; leave it out or describe one [[asterisk]]")
        if len(set(names)) != len(names):
            raise ValueError("two [[asterisk]] have the same name; give each its own")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # pydantic's own environment source ignores misspelt variables and replaces a list from the file as a whole;
        # `load` overlays key by key instead and refuses what it does not know.
        return (init_settings,)


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from `path` (None: `ringback.toml` here, if there is one) and the environment, which wins.

    Raises ConfigError with one line for each problem, naming the key and where it stands.
    """
    environment = os.environ if environment is None else environment
    origins: dict[tuple[str, ...], str] = {}
    tree, source = _read_file(path)
    _refuse_secrets(tree, source)
    for variable in sorted(environment):
        keys = _keys_of(variable)
        if keys:
            _overlay(tree, keys, environment[variable], variable)
            origins[keys] = f"environment variable {variable}"
    try:
        return Settings(**tree)
    except ValidationError as error:
        raise ConfigError("; ".join(_line(each, source, origins) for each in error.errors())) from None


def read_secret(path: Path, key: str) -> SecretStr:
    """The secret that a file holds, without the line's end. Raises ConfigError, which names `key`."""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{key}: cannot read {path}: {reason}; make the file readable for the engine") from None
    if not text:
        raise ConfigError(f"{key}: {path} is empty; write the secret into it")
    return SecretStr(text)


def _read_file(path: Path | None) -> tuple[dict[str, Any], str]:
    if path is None:
        path = Path("ringback.toml")
        if not path.exists():
            return {}, "built-in defaults"
    try:
        return tomllib.loads(path.read_text("utf-8")), str(path)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; name an existing file with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def _refuse_secrets(tree: Mapping[str, Any], source: str) -> None:
    nodes = tree.get("asterisk", ())
    for node in nodes if isinstance(nodes, list) else ():
        for key in _SECRETS & set(node if isinstance(node, dict) else ()):
            raise ConfigError(f"asterisk.{key} must not stand in {source}: put it into a file and set {key}_file")


def _keys_of(variable: str) -> tuple[str, ...]:
    """The path of keys that a variable sets; empty for variables that are no settings."""
    if not variable.startswith(_PREFIX):
        return ()
    keys = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
    return keys if len(keys) > 1 or keys[0] in _TOP_LEVEL_KEYS else ()


_TOP_LEVEL_KEYS = frozenset({"admin_key_file"})


def _overlay(tree: dict[str, Any], keys: tuple[str, ...], value: str, variable: str) -> None:
    *path, last = keys
    at: Any = tree
    for depth, key in enumerate(path):
        if isinstance(at, list):
            index = int(key) if key.isascii() and key.isdigit() else -1
            if not 0 <= index <= len(at):
                raise ConfigError(
                    f"{variable}: {key!r} must be 0 to {len(at)}, the place in the list {path[depth - 1]}"
                )
            if index == len(at):
                at.append({})
            at = at[index]
        else:
            # A node may be set up by the environment alone; it then starts from the defaults.
            at = at.setdefault(key, [] if key == "asterisk" and depth == 0 else {})
        if not isinstance(at, dict | list):
            raise ConfigError(f"{variable}: {'.'.join(keys[: depth + 1])} is a single value and has no keys of its own")
    if isinstance(at, list):
        raise ConfigError(f"{variable}: name the place in the list first, such as RINGBACK_ASTERISK__0__ARI_URL")
    at[last] = tuple(value.split(",")) if keys == ("http", "trusted_proxies") and value else value


def _line(problem: Any, source: str, origins: Mapping[tuple[str, ...], str]) -> str:  # noqa: ANN401
    """One problem as a line; never shows the value, which may be a secret."""
    loc = tuple(str(part) for part in problem["loc"])
    where = next(
        (origin for keys, origin in origins.items() if keys[: len(loc)] == loc or loc[: len(keys)] == keys), source
    )
    key = ".".join(loc) or "settings"
    if problem["type"] == "extra_forbidden":
        known = _known_keys(loc[:-1])
        near = difflib.get_close_matches(loc[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {'.'.join((*loc[:-1], near[0]))}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key {key} in {where}; {hint}"
    return f"{key} in {where}: {problem['msg'].removeprefix('Value error, ')}"


def _known_keys(path: tuple[str, ...]) -> list[str]:
    if not path:
        return sorted(Settings.model_fields)
    sections: dict[str, type[Section]] = {name: section for name, section, _ in sections_of_settings()}
    return sorted(sections[path[0]].model_fields) if path[0] in sections else []


def sections_of_settings() -> list[tuple[str, type[Section], FieldInfo]]:
    """Each section's name, class and field, in order; for the documentation and for messages."""
    found: list[tuple[str, type[Section], FieldInfo]] = []
    for name, field in Settings.model_fields.items():
        section = AsteriskSettings if name == "asterisk" else field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            found.append((name, section, field))
    return found
