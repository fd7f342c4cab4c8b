"""`environment_reader`: variables of the environment that the settings allow, and what system it is."""

from __future__ import annotations

import fnmatch
import os
import platform
import re
import sys

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import PermissionDeniedError
from querist.settings import redact
from querist.tools.credentials import tool_settings
from querist.tools.tool import ToolInput

MASK = "***"
_SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|credential|auth|cookie|session|private|dsn", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"-----BEGIN|\b(?:sk|pk|ghp|gho|ghs|xox[abp]|glpat|AKIA|eyJ)[\w-]{12,}|^(?=[^/:,;]*\d)(?=[^/:,;]*[A-Za-z])[\w+=-]{24,}$"
)


class EnvironmentReaderInput(ToolInput):
    variables: list[str] = Field(default=[], description="Names of variables.", max_length=100)
    include_system_info: bool = Field(default=False, description="Whether to tell the system and Python as well.")


class Environment(BaseModel):
    variables: dict[str, str | None] = Field(description="Nothing where a variable is not set.")
    masked: list[str] = Field(description="Variables whose values look like secrets and are not shown.")
    system: dict[str, str]


class EnvironmentReader(Component[EnvironmentReaderInput, Environment]):
    name = "environment_reader"
    description = """Read variables of the environment by name, those that the settings allow.

    What looks like a secret is masked even then. `tools.environment` in the settings says which may be read."""

    async def run(self, input: EnvironmentReaderInput, context: RunContext) -> Environment:
        allowed = tool_settings(context).environment
        variables: dict[str, str | None] = {}
        masked = []
        for name in input.variables:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed):
                raise PermissionDeniedError(
                    f"The variable {name!r} may not be read.", hint="Add it to tools.environment in the settings."
                )
            value = os.environ.get(name)
            shown = value if value is None else _shown(name, value)
            if shown != value:
                masked.append(name)
            variables[name] = shown
        return Environment(variables=variables, masked=masked, system=_system() if input.include_system_info else {})


def _shown(name: str, value: str) -> str:
    return MASK if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value) else redact(value)


def _system() -> dict[str, str]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "processors": str(os.cpu_count()),
        "encoding": sys.getfilesystemencoding(),
    }
