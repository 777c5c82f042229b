"""The program's root: finds commands by name, imports them late, and turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command as build_command

from jobcore.cli import log_lines, output
from jobcore.cli.catalog import CORE_COMMANDS, ELSEWHERE, NOT_YET
from jobcore.cli.errors import Failure, failure_of, failure_of_fault, failure_of_usage
from jobcore.cli.exit_codes import ExitCode
from jobcore.errors import ConfigurationError, JobcoreError
from jobcore.plugins.known import INSTALL_PAGE

if TYPE_CHECKING:
    from jobcore.plugins.registries import LazyTarget

PROGRAM = "jobcore"


class JobcoreGroup(TyperGroup):
    """Core's commands, and those of plugins."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return all names; without those of plugins, and a word on why, if the settings cannot be read."""
        try:
            return [*CORE_COMMANDS, *(name for name in sorted(self._of_plugins) if name not in CORE_COMMANDS)]
        except ConfigurationError as error:
            log_lines.commands_not_listed(error)
            return list(CORE_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return the command of this name, imported; nothing if there is none."""
        if cmd_name in CORE_COMMANDS:
            module, _, attribute = CORE_COMMANDS[cmd_name].partition(":")
            return _as_command(cmd_name, getattr(import_module(module), attribute), "")
        target = self._of_plugins.get(cmd_name)
        return None if target is None else _as_command(cmd_name, target.load(), target.text)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer, but a name that is not there is answered with near names, or with what brings it."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(_no_such_command(name, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - one name, however it was called
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program and exit with its code."""
        log_lines.log_warnings()
        given = list(sys.argv[1:] if args is None else args)
        options = set(given[: given.index("--")] if "--" in given else given)

        def run() -> Any:
            return super(JobcoreGroup, self).main(given, PROGRAM, complete_var, False, windows_expand_args, **extra)

        code = _guarded(run, debug="--debug" in options, as_json="--json" in options)
        if standalone_mode:
            sys.exit(code)
        return code

    @cached_property
    def _of_plugins(self) -> Mapping[str, LazyTarget]:
        from jobcore.cli.plugin_commands import plugin_commands

        return plugin_commands()


def _guarded(run: Any, *, debug: bool, as_json: bool) -> int:
    """Run the program; return its exit code, having told what went wrong."""
    try:
        answer = run()
    except JobcoreError as error:
        if debug:
            raise
        failure = failure_of(error)
    except typer.Abort:
        failure = Failure("Aborted", "Stopped: an answer was needed, and none was given.", ExitCode.FAILED)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            output.note(str(error))
            return ExitCode.USAGE
        if hasattr(error, "format_message"):
            failure = failure_of_usage(error)
        elif debug:
            raise
        else:
            failure = failure_of_fault(error)
    else:
        return answer if isinstance(answer, int) else 0
    output.show_failure(failure, as_json=as_json)
    return failure.code


def _as_command(name: str, target: Any, text: str) -> Any:
    """Return what typer runs, from a typer app or a plain function."""
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False, rich_markup_mode=None)
        target.command(name, help=text or None)(function)
    command = cast("Any", build_command(target))
    command.name = name
    command.help = command.help or text
    command.short_help = text or command.short_help
    return command


def _no_such_command(name: str, known: Sequence[str]) -> str:
    from jobcore.cli.plugin_commands import why_absent

    if reason := why_absent(name):
        return f"The command {name!r} is not there. {reason}"
    if name in ELSEWHERE:
        return f"The command {name!r} comes with the distribution {ELSEWHERE[name]}; see {INSTALL_PAGE}."
    if name in NOT_YET:
        return NOT_YET[name]
    near = get_close_matches(name, known, n=3)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are {', '.join(known)}."
    return f"There is no command {name!r}. {hint}"
