"""What becomes of code that a model wrote: it is mended, runs in the sandbox, and its values are read."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from querist.analysis.code_mend import code_in, mend_code
from querist.analysis.draft import Draft
from querist.analysis.findings import Finding, FindingValue, plain
from querist.analysis.matching import pick
from querist.analysis.named import Wanted, read_named
from querist.analysis.remedies import remedy

if TYPE_CHECKING:
    import pandas as pd

LONGEST_ERROR = 400
MAX_REMEDIES = 2


@dataclass(frozen=True)
class Ran:
    """What became of code: the value of its variable `answers`, what it printed, and its error (empty when none)."""

    value: Any = None
    stdout: str = ""
    error: str = ""


class CodeRunner(Protocol):
    """Where generated code runs, and nowhere else. `isolation` says how strongly it is walled off, for people."""

    isolation: str

    async def warm(self) -> None:
        """Begin to load what code needs, without waiting for it: a model has to be asked first."""

    async def run(self, code: str, frames: Mapping[str, pd.DataFrame]) -> Ran: ...

    async def close(self) -> None: ...


async def run_code(reply: str, frame: pd.DataFrame, names: tuple[Wanted, ...], runner: CodeRunner) -> Draft:
    """Mend the code in a model's reply, run it, and read the values that were asked for."""
    code, notes = mend_code(code_in(reply), [str(column) for column in frame.columns], [w.name for w in names])
    warnings: list[str] = []
    guesses: list[str] = []
    ran = await runner.run(code, {"df": frame})
    for _ in range(MAX_REMEDIES):
        helped = remedy(code, _last_lines(ran.error) if ran.error else "", frame, _plain(ran.value))
        if helped is None:
            break
        again = await runner.run(helped.code, {"df": frame})
        if again.error and not ran.error:  # what ran is worth more
            break
        code, ran = helped.code, again
        (guesses if helped.guess else warnings).append(helped.note)
    if ran.error:
        return Draft("code", code, notes=tuple(notes), error=_last_lines(ran.error))
    values, guess = _values(ran, names)
    guesses += [guess] if guess else []
    if not values or (names and all(value is None for value in values.values())):
        missing = (
            "no values in the dictionary answers" if not names else f"no value of {', '.join(w.name for w in names)}"
        )
        return Draft("code", code, values=values, notes=tuple(notes), error=f"The code ran and gave {missing}.")
    stated = [name for name in _stated(code) if name in values]
    if not names and len(stated) == len(values):
        error = "The code computes nothing from df; it only states what the answers are said to be."
        return Draft("code", code, notes=tuple(notes), error=error)
    if stated := [name for name in stated if names or type(values[name]) in (int, float)]:
        guesses.append(f"The code states {', '.join(stated)} and does not compute it.")
    findings = tuple(Finding(name=name, value=value, meaning=name.replace("_", " ")) for name, value in values.items())
    return Draft(
        "code",
        code,
        values=values,
        findings=findings,
        notes=tuple(notes),
        warnings=tuple(warnings),
        guesses=tuple(guesses),
    )


def _values(ran: Ran, names: tuple[Wanted, ...]) -> tuple[dict[str, FindingValue], str]:
    """Values by name: from the dictionary, else from what was printed in the form asked for; and what was guessed."""
    given = ran.value if isinstance(ran.value, dict) else {}
    if not names:
        return {str(name): _labelled(value) for name, value in given.items()}, ""
    found = {str(name): _value(value) for name, value in given.items()}
    return pick(names, {**read_named(ran.stdout), **found})


def _stated(code: str) -> list[str]:
    """The names of answers that the code sets once, to what is written there."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    for line in ast.walk(ast.parse(code)):
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Dict):
            pairs += zip(line.value.keys, line.value.values, strict=True)
        elif isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Subscript):
            pairs.append((line.targets[0].slice, line.value))
    named = [(str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant)]
    times = Counter(name for name, _ in named)
    return [name for name, value in named if times[name] == 1 and _is_literal(value)]


def _is_literal(node: ast.expr) -> bool:
    return not any(isinstance(part, (ast.Name, ast.Call)) for part in ast.walk(node))


def _value(value: Any) -> FindingValue:
    if isinstance(value, dict):
        return [str(part) for part in value.values()] if value else None
    return plain(value)


def _labelled(value: Any) -> FindingValue:
    """The value; of a dictionary, such as the means of groups, its parts with what they are the values of."""
    if isinstance(value, dict) and value:
        return [f"{key}: {part}" for key, part in value.items()]
    return _value(value)


def _plain(value: Any) -> list[FindingValue]:
    return [plain(part) for part in value.values()] if isinstance(value, dict) else []


def _last_lines(error: str) -> str:
    """The error itself, without the way to it."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    return (lines[-1] if lines else "It failed.")[:LONGEST_ERROR]
