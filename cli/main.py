"""The `ringback` command: its subcommands by import path, and the one place where an error becomes line and exit code.

A subcommand's module is imported only when it is used, so that help and the small commands answer at once. Exit codes:
0 ok, 1 refused, 2 wrong usage, 3 engine not reachable, 130 interrupted. Nothing but a defect shows a traceback.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import click

from cli.printing import complain
from engine.errors import RingbackError

REFUSED = 1
WRONG_USAGE = 2
INTERRUPTED = 130


class Subcommand(NamedTuple):
    """Where a subcommand is found, and the line that `ringback --help` shows without importing it."""

    module: str
    short_help: str


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "serve": Subcommand("cli.serve", "Run the engine."),
    "doctor": Subcommand("cli.doctor", "Check this installation and say how to mend it."),
    "config": Subcommand("cli.config", "Apply, export and compare the services document."),
    "callback": Subcommand("cli.callback", "Request, list, watch, move and cancel callbacks."),
    "service": Subcommand("cli.service", "Look at services, pause and resume them."),
    "slot": Subcommand("cli.slot", "Look at slots and set capacities of single ones."),
    "interaction": Subcommand("cli.interaction", "Announce, list and end other work than calls."),
    "inbound": Subcommand("cli.inbound", "Look at calls that came in."),
    "suppression": Subcommand("cli.suppression", "Look after numbers that are never called."),
    "agent": Subcommand("cli.agent", "Look at agents, set states and passwords."),
    "simulate": Subcommand("cli.simulate", "Find out what would happen if, in virtual time."),
    "key": Subcommand("cli.key", "Create, list and revoke access keys."),
    "prompts": Subcommand("cli.prompts", "Build and check voice prompts."),
    "asterisk": Subcommand("cli.asterisk", "Write the configuration for your own Asterisk."),
    "db": Subcommand("cli.db", "Look after the database."),
    "lab": Subcommand("cli.lab", "A real Asterisk and a simulated telephone network to try things on."),
    "demo": Subcommand("cli.demo", "Show the whole story on a lab."),
}


class Root(click.Group):
    """Finds subcommands in `SUBCOMMANDS` and ends every error in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Those that this installation has."""
        return [name for name, each in SUBCOMMANDS.items() if importlib.util.find_spec(each.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand's module and take the command of this name out of it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        with _nothing_collected():
            found = vars(importlib.import_module(SUBCOMMANDS[cmd_name].module)).values()
        return next((each for each in found if isinstance(each, click.Command) and each.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but click's own hint would know only commands that are already loaded."""
        name = args[0]
        if name.startswith("-") or name in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"There is no command {name!r}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing anything."""
        rows = [(name, SUBCOMMANDS[name].short_help) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:  # noqa: ANN401 - click's own types
        """Run and exit. With `standalone_mode=False` errors are raised, for programs that call us."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        # A command that ends early says so with Exit, which click returns as a number; values of commands are None.
        code = 0
        try:
            ended = run(*args, standalone_mode=False, **extra)
            code = ended if isinstance(ended, int) else 0
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = WRONG_USAGE
        except click.UsageError as error:
            complain(_usage(error))
            code = WRONG_USAGE
        except click.ClickException as error:
            complain(error.format_message())
            code = error.exit_code
        except RingbackError as error:
            complain(str(error))
            code = int(getattr(error, "exit_code", REFUSED))
        except click.Abort:
            code = INTERRUPTED
        except BrokenPipeError:
            # Whoever read our output has gone, as `| head` does; Python must not try to write the rest at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = REFUSED
        sys.exit(code)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep the garbage collector out of imports, and afterwards out of what they made: all of that stays.

    Its looks took a fifth of the time an engine needs to start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _usage(error: click.UsageError) -> str:
    message = error.format_message().rstrip(".")
    return message if error.ctx is None else f"{message}; see: {error.ctx.command_path} --help"


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ringback", message="ringback %(version)s")
def main() -> None:
    """Ringback calls your customers back.

    Commands that talk to a running engine find it by --url or RINGBACK_URL and show the key that stands in the file
    of --key-file or RINGBACK_KEY_FILE, or in RINGBACK_KEY.

    \b
    Exit codes:
      0 ok   1 refused   2 wrong usage   3 engine not reachable
    """
