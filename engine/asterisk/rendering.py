"""Fills the placeholders of Ringback's Asterisk configuration.

The templates in `asterisk-config/` are complete Asterisk files in which `@@name@@` stands for a value of one
installation; Asterisk's own `${NAME}` is left alone. A rendered file is either right or not written: an unknown or
forgotten placeholder and a value that could break out of its line are refused before anything is written.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from engine.errors import RingbackError
from engine.shipped import asterisk_config_dir

_PLACEHOLDER = re.compile(r"@@([a-z_]+)@@")
_WORD = re.compile(r"[A-Za-z0-9_.-]+")
# A semicolon begins a comment, brackets a section or a template, a backslash escapes; ${ } is read by the dialplan.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f;\[\]\\{}]|@@")


class RenderingError(RingbackError):
    """A template or a value from which no correct configuration can be made; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSettings:
    """What differs between one PBX and another. Addresses are IP addresses, ports 1 to 65535, `prompts_dir` is the
    absolute path of the prompts as Asterisk sees them."""

    prompts_dir: str
    ari_password: str
    ami_password: str
    application: str = "ringback"
    ari_user: str = "ringback"
    ami_user: str = "ringback"
    http_address: str = "127.0.0.1"
    http_port: int = 8088
    ami_address: str = "127.0.0.1"
    ami_port: int = 5038
    media_address: str = "127.0.0.1"

    def values(self) -> dict[str, str]:
        """The settings by placeholder name, checked."""
        for name in ("application", "ari_user", "ami_user"):
            value = getattr(self, name)
            if not _WORD.fullmatch(value):
                raise RenderingError(f"{name} {value!r}: only letters, digits, dot, dash and underscore may be used")
        for name in ("http_address", "ami_address", "media_address"):
            try:
                ipaddress.ip_address(getattr(self, name))
            except ValueError:
                raise RenderingError(f"{name} {getattr(self, name)!r} is not an IP address") from None
        for name in ("http_port", "ami_port"):
            if not 1 <= getattr(self, name) <= 65535:
                raise RenderingError(f"{name} {getattr(self, name)} is not a port (1 to 65535)")
        if not self.prompts_dir.startswith("/"):
            raise RenderingError(f"prompts_dir {self.prompts_dir!r} must be an absolute path")
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def render(settings: AsteriskSettings, to_dir: Path) -> tuple[Path, ...]:
    """Write every shipped configuration file, filled, into `to_dir`; returns the files written."""
    return render_folder(asterisk_config_dir(), settings.values(), to_dir)


def render_folder(templates: Path, values: Mapping[str, str], to_dir: Path) -> tuple[Path, ...]:
    """Fill all `*.conf` of one folder. Nothing is written unless all of them can be."""
    sources = sorted(templates.glob("*.conf"))
    if not sources:
        raise RenderingError(f"no configuration templates in {templates}")
    texts = [(source.name, fill(source.name, source.read_text("utf-8"), values)) for source in sources]
    to_dir.mkdir(parents=True, exist_ok=True)
    return tuple(_write(to_dir / name, text) for name, text in texts)


def fill(name: str, template: str, values: Mapping[str, str]) -> str:
    """The text of one template with its placeholders filled; `name` is used in errors."""
    lines = []
    for number, line in enumerate(template.split("\n"), start=1):
        filled = _PLACEHOLDER.sub(partial(_value, name, number, values), line)
        # Whatever else stands between two @@ is a slip of the pen, such as @@Name@@ or @@name@.
        if "@@" in filled:
            raise RenderingError(f"{name} line {number}: malformed placeholder in {line.strip()!r}")
        lines.append(filled)
    return "\n".join(lines)


def _value(template: str, line: int, values: Mapping[str, str], placeholder: re.Match[str]) -> str:
    name = placeholder[1]
    if name not in values:
        known = ", ".join(sorted(values))
        raise RenderingError(f"{template} line {line}: unknown placeholder @@{name}@@ (known: {known})")
    value = values[name]
    if not value or value != value.strip():
        raise RenderingError(f"{name}: the value is empty or has blanks at its ends")
    found = _FORBIDDEN.search(value)
    if found:
        # The value may be a password, so only the character is shown.
        raise RenderingError(f"{name}: the character {found[0]!r} would break the Asterisk configuration")
    return value


def _write(path: Path, text: str) -> Path:
    # Some of these files hold passwords: they are never readable by everybody, not even for a moment.
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o640)
    temporary.write_text(text, "utf-8")
    temporary.replace(path)
    return path
