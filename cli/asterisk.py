"""`ringback asterisk`: the configuration that the operator's own PBX needs.

A running Asterisk is only told to read it anew, and only when that is asked for.
"""

import asyncio
import ipaddress
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import click

from engine.asterisk.ami import AmiSettings
from engine.asterisk.reloading import Reload, Reloaded, needs_restart, reload
from engine.asterisk.rendering import AsteriskSettings, render

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("asterisk", short_help="The configuration for your own Asterisk.")
def asterisk() -> None:
    """The configuration for your own Asterisk."""


@asterisk.command("render", short_help="Write include files for your Asterisk.")
@click.option(
    "--to",
    "to_dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write; made when missing.",
)
@click.option("--prompts-dir", metavar="DIR", help="The prompts as Asterisk sees them. [default: ./prompts]")
@click.option("--application", default="ringback", show_default=True, help="Name of the Stasis application.")
@click.option("--media-address", default="127.0.0.1", show_default=True, help="The PBX's own address in SDP.")
@click.option("--http-address", default="127.0.0.1", show_default=True, help="Where ARI listens.")
@click.option("--http-port", type=click.IntRange(1, 65535), default=8088, show_default=True)
@click.option("--ami-address", default="127.0.0.1", show_default=True, help="Where AMI listens.")
@click.option("--ami-port", type=click.IntRange(1, 65535), default=5038, show_default=True)
@click.option("--ari-user", default="ringback", show_default=True)
@click.option("--ari-password-file", type=_FILE, help="Without it a password is made up.")
@click.option("--ami-user", default="ringback", show_default=True)
@click.option("--ami-password-file", type=_FILE, help="Without it a password is made up.")
@click.option("--reload", "reloads", is_flag=True, help="Then let the running Asterisk read the files anew, over AMI.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def render_command(
    to_dir: Path,
    prompts_dir: str | None,
    ari_password_file: Path | None,
    ami_password_file: Path | None,
    reloads: bool,  # noqa: FBT001 - click passes options by name
    as_json: bool,  # noqa: FBT001
    **fixed: str | int,
) -> None:
    """Write include files for your Asterisk into DIR, each with a line that says where to include it.

    Rendering again replaces the files. The written files hold the passwords; only their owner and group can read them,
    so give them to Asterisk's group. With --reload the running Asterisk must know the manager user already.

    \b
    Examples:
      ringback asterisk render --to /etc/asterisk/ringback --media-address 192.0.2.10
      ringback asterisk render --to /etc/asterisk/ringback --ari-password-file /etc/ringback/ari
      ringback asterisk render --to /etc/asterisk/ringback --ari-password-file /etc/ringback/ari \\
          --ami-password-file /etc/ringback/ami --reload
    """
    if reloads and (ari_password_file is None or ami_password_file is None):
        raise click.UsageError(
            "--reload needs --ari-password-file and --ami-password-file: with passwords made up anew, those "
            "who use the running Asterisk would be locked out"
        )
    try:
        settings = AsteriskSettings(
            prompts_dir=prompts_dir or str(Path("prompts").resolve()),
            ari_password=_password(ari_password_file),
            ami_password=_password(ami_password_file),
            **fixed,  # type: ignore[arg-type] # click has checked each by its option
        )
        written = render(settings, to_dir)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}; choose a folder you may write to") from error
    names = [path.name for path in written]
    done = asyncio.run(reload(_manager(settings), names)) if reloads else []
    if as_json:
        reloaded = [{"module": each.module, "result": each.result.value, "detail": each.detail} for each in done]
        told = {"reloads": reloaded, "needs_restart": needs_restart(names)} if reloads else {}
        click.echo(json.dumps({"directory": str(to_dir), "files": names, **told}))
    else:
        for path in written:
            click.echo(path)
        click.echo(
            f"include them as each says at its top, and let Asterisk read them: chgrp -R asterisk {to_dir}", err=True
        )
        _tell(done, names)
    if any(each.result is not Reloaded.DONE for each in done):
        raise click.exceptions.Exit(1)


def _tell(done: Sequence[Reload], files: Sequence[str]) -> None:
    for each in done:
        click.echo(f"reload {each.module}: {each.result}{f' ({each.detail})' if each.detail else ''}", err=True)
    if done and (later := needs_restart(files)):
        click.echo(f"read at the next start of Asterisk only: {', '.join(later)}", err=True)


def _manager(settings: AsteriskSettings) -> AmiSettings:
    """The running Asterisk's manager interface; one that listens everywhere is reached on this machine."""
    address = ipaddress.ip_address(settings.ami_address)
    host = settings.ami_address
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return AmiSettings(host, settings.ami_port, settings.ami_user, settings.ami_password, events="off")


def _password(file: Path | None) -> str:
    if file is None:
        return secrets.token_urlsafe(24)
    return file.read_text("utf-8").strip()
