"""How an Asterisk's two interfaces are reached by the settings, for engine, doctor and command line."""

from __future__ import annotations

from engine.asterisk.ami import AmiSettings
from engine.asterisk.ear import EarSettings
from engine.asterisk.node import NodeSettings
from engine.config import AsteriskSettings
from engine.errors import ConfigError


def ami_settings(settings: AsteriskSettings) -> AmiSettings | None:
    """None if no password for it is set. Raises ConfigError if its file cannot be read."""
    secret = settings.ami_secret()
    if secret is None:
        return None
    return AmiSettings(settings.ami_host, settings.ami_port, settings.ami_user, secret.get_secret_value())


def node_settings(settings: AsteriskSettings) -> NodeSettings:
    """How to reach an Asterisk, its secret read. Raises ConfigError."""
    secret = settings.ari_secret()
    if secret is None or not secret.get_secret_value():
        raise ConfigError(
            f"asterisk {settings.name}: no ARI password; set ari_password_file, "
            "or RINGBACK_ASTERISK__0__ARI_PASSWORD in the environment"
        )
    return NodeSettings(
        name=settings.name,
        ari_url=settings.ari_url,
        ari_user=settings.ari_user,
        ari_password=secret.get_secret_value(),
        application=settings.application,
        customer_endpoint=settings.customer_endpoint,
        settle_seconds=settings.recovery_settle_seconds,
        ear=EarSettings(settings.ear_host, settings.ear_port, settings.max_ears),
    )
