"""What becomes of code that a model wrote: it is mended, runs in the sandbox, and its values are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from querist.analysis.code_mend import code_in, mend_code
from querist.analysis.draft import Draft
from querist.analysis.findings import Finding, FindingValue, plain
from querist.analysis.named import Wanted, pick, read_named
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
    ran = await runner.run(code, {"df": frame})
    for _ in range(MAX_REMEDIES):
        helped = remedy(code, _last_lines(ran.error) if ran.error else "", frame, _numbers(ran.value))
        if helped is None:
            break
        code, note = helped
        notes.append(note)
        ran = await runner.run(code, {"df": frame})
    if ran.error:
        return Draft("code", code, notes=tuple(notes), error=_last_lines(ran.error))
    values = _values(ran, names)
    if not values or (names and all(value is None for value in values.values())):
        missing = (
            "no values in the dictionary answers" if not names else f"no value of {', '.join(w.name for w in names)}"
        )
        return Draft("code", code, values=values, notes=tuple(notes), error=f"The code ran and gave {missing}.")
    findings = tuple(Finding(name=name, value=value, meaning=name.replace("_", " ")) for name, value in values.items())
    return Draft("code", code, values=values, findings=findings, notes=tuple(notes))


def _values(ran: Ran, names: tuple[Wanted, ...]) -> dict[str, FindingValue]:
    """Values by name: from the dictionary, else from what was printed in the form asked for."""
    given = ran.value if isinstance(ran.value, dict) else {}
    found = {str(name): _value(value) for name, value in given.items()}
    if not names:
        return found
    return pick(names, {**read_named(ran.stdout), **found})


def _value(value: Any) -> FindingValue:
    if isinstance(value, dict):
        return [str(part) for part in value.values()] if value else None
    return plain(value)


def _numbers(value: Any) -> list[float | None]:
    return [v for v in value.values() if isinstance(v, float | None)] if isinstance(value, dict) else []


def _last_lines(error: str) -> str:
    """The error itself, without the way to it."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    return (lines[-1] if lines else "It failed.")[:LONGEST_ERROR]
