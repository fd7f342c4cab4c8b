"""`querist chat`: one question after another, each understood in the light of those before."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from querist.cli.ask import Data, Drafts, ModelName, open_querist
from querist.cli.errors import show_error
from querist.cli.live import Live
from querist.errors import QueristError, UsageError
from querist.state.last_answer import keep_last
from querist.state.paths import data_dir
from querist.state.whole_file import whole_file

if TYPE_CHECKING:
    from rich.console import Console

    from querist.answer.answer import Answer
    from querist.answer.understand import Turn
    from querist.app import Querist

log = logging.getLogger(__name__)

HELP = """\
/sql            the query behind the last answer
/explain        every draft and check of the last answer
/schema [TABLE] what the data hold
/save FILE      the last answer: its rows as .csv, all of it as .json or .md
/reset          forget the questions so far
/help           this list
/quit           leave; Ctrl-D does too. Ctrl-C stops a question"""
REMEMBERED_LINES = 2000
"""Lines of the prompt's own history, which the arrow keys bring back."""


def chat(data: Data = None, model: ModelName = None, drafts: Drafts = None) -> None:
    """Ask one question after another; /help lists what else can be said.

    A question may go on from the one before ("and by region?"). Every answer is kept in a session file as it comes.

    \b
    Examples:
      querist chat --data sales.csv
      querist chat -d sales.csv < questions.txt
    """
    from querist.cli.show import open_console

    console = open_console()
    live = Live()
    with live:
        querist = open_querist(data, model, drafts, live)
    with querist, _prompt_history():
        if sys.stdin.isatty():
            names = ", ".join(source.name for source in querist.sources)
            console.print(f"Asking {names} with {querist.model.name}. /help lists commands.", style="dim", markup=False)
        _Conversation(querist, console, live).run()


class _Session:
    """The file that keeps a session: a JSON line for each question, written at once, readable by its user only."""

    def __init__(self) -> None:
        self.path = data_dir() / "sessions" / f"{dt.datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.jsonl"

    def write(self, question: str, **what: Any) -> None:
        """Keep a question and what came of it. An answer that cannot be kept is shown all the same."""
        line = {"time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "question": question, **what}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(file, "a", encoding="utf-8") as lines:
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            typer.echo(f"! This is not kept in {self.path}: {error.strerror}.", err=True)


class _Conversation:
    """Reads lines, and asks or obeys."""

    def __init__(self, querist: Querist, console: Console, live: Live) -> None:
        self.querist, self.console, self.live, self.session = querist, console, live, _Session()
        self.turns: list[Turn] = []
        self.last: Answer | None = None

    def run(self) -> None:
        for line in _lines():
            try:
                if line.startswith("/"):
                    if not self._obey(line):
                        return
                elif line:
                    self._ask(line)
            except QueristError as error:
                show_error(error)
            except KeyboardInterrupt:
                typer.echo("\nStopped.", err=True)
            sys.stdout.flush()

    def _ask(self, question: str) -> None:
        from querist.answer.understand import Turn
        from querist.cli.show import show_answer

        try:
            with self.live:
                answer = self.querist.ask(question, history=self.turns)
        except KeyboardInterrupt:
            self.session.write(question, stopped=True)
            raise
        except QueristError as error:
            self.session.write(question, error=error.to_dict())
            raise
        self.session.write(question, answer=answer.to_dict())
        self.last = answer
        if answer.sql and not answer.steps:
            keep_last(answer.understood, answer.sql)
        if answer.sql:
            self.turns.append(Turn(question=answer.understood, sql=answer.sql))
        show_answer(self.console, answer, save_hint="/save FILE keeps all")
        self.console.print()

    def _obey(self, line: str) -> bool:
        """Do what a command says. False when the conversation is over."""
        from querist.cli.show import show_answer, show_sql

        command, _, argument = line.partition(" ")
        argument = argument.strip()
        match command.lower():
            case "/quit" | "/exit" | "/q":
                return False
            case "/help" | "/?":
                self.console.print(HELP, markup=False)
            case "/reset":
                self.turns.clear()
                self.console.print("The questions so far are forgotten.")
            case "/schema":
                from querist.cli.schema import show_sources

                show_sources(self.console, self.querist.sources, argument or None)
            case "/sql":
                show_sql(self.console, self._answer().sql or "-- no query answered it")
            case "/explain":
                show_answer(self.console, self._answer(), explain=True)
            case "/save":
                self.console.print(save(self._answer(), argument), markup=False)
            case _:
                import difflib

                known = [entry.split()[0] for entry in HELP.splitlines()]
                near = difflib.get_close_matches(command, known, n=1)
                guess = f"Did you mean {near[0]}? " if near else ""
                raise UsageError(f"There is no command {command!r}.", hint=f"{guess}/help lists the commands.")
        return True

    def _answer(self) -> Answer:
        if self.last is None:
            raise UsageError("There is no answer yet.", hint="Ask a question first.")
        return self.last


def save(answer: Answer, file: str) -> str:
    """Save an answer in the format that the file's name asks for; returns what to tell.

    Raises:
        UsageError: no name, another format, nothing to save, or it cannot be written.
    """
    if not file:
        raise UsageError("/save needs the name of a file.", hint="Such as /save result.csv, .json or .md.")
    path = Path(file).expanduser()
    kind = path.suffix.lower()
    if kind not in (".csv", ".json", ".md"):
        raise UsageError(f"{file!r} does not end in .csv, .json or .md.", hint="The ending says how to save it.")
    if kind == ".csv" and answer.table is None:
        raise UsageError("The last answer has no rows to save.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if answer.table is not None and kind == ".csv":
            answer.table.to_csv(path)
        else:
            with whole_file(path) as out:
                out.write(_document(answer, kind).encode())
    except OSError as error:
        raise UsageError(f"The answer cannot be saved to {file}: {error.strerror}.") from error
    return f"Saved to {path}."


def _document(answer: Answer, kind: str) -> str:
    if kind == ".json":
        return json.dumps(answer.to_dict(), indent=2, ensure_ascii=False) + "\n"
    from querist.cli.show import as_markdown

    return as_markdown(answer)


def _lines() -> Iterator[str]:
    """What the person types, or what stands in a pipe. Ctrl-C at the prompt drops the line, Ctrl-D ends."""
    from querist.sources.text_encoding import decode

    interactive = sys.stdin.isatty()
    while True:
        try:
            line = input("> ") if interactive else decode(sys.stdin.buffer.readline())[0]
        except EOFError:
            typer.echo()
            return
        except KeyboardInterrupt:
            typer.echo("\n/quit or Ctrl-D leaves.", err=True)
            continue
        if not interactive and not line:
            return
        yield line.strip()


@contextmanager
def _prompt_history() -> Iterator[None]:
    """Line editing with a history that is kept, where there is a terminal and a readline library."""
    try:
        import readline
    except ImportError:  # Windows has none; its console has a history of its own
        yield
        return
    if not sys.stdin.isatty():
        yield
        return
    file = data_dir() / "history"
    readline.set_history_length(REMEMBERED_LINES)
    with suppress(OSError):  # there is none yet, or it is not ours to read
        readline.read_history_file(file)
    try:
        yield
    finally:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(file)
            file.chmod(0o600)
        except OSError as error:
            log.warning("what was typed is not kept in %s: %s", file, error)
