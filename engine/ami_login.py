"""How an Asterisk's manager interface is reached by the settings, for engine, doctor and command line."""

from __future__ import annotations

from engine.asterisk.ami import AmiSettings
from engine.config import AsteriskSettings


def ami_settings(settings: AsteriskSettings) -> AmiSettings | None:
    """None if no password for it is set. Raises ConfigError if its file cannot be read."""
    secret = settings.ami_secret()
    if secret is None:
        return None
    return AmiSettings(settings.ami_host, settings.ami_port, settings.ami_user, secret.get_secret_value())
