"""How Querist itself is pointed at the endpoint that everyone uses."""

from __future__ import annotations

import json
from pathlib import Path

_PROVIDER = "openai-compatible"


def command(python: str, question_set: Path, predictions: Path, home: Path, base_url: str, model: str) -> list[str]:
    """The command that runs the questions; writes the settings file that it reads to `home`."""
    name = f"{_PROVIDER}:{model}"
    settings = {
        "models": {
            "reasoning": name,
            "coding": name,
            "fast": name,
            "providers": {_PROVIDER: {"base_url": base_url, "api_key": "none"}},
        }
    }
    # JSON is YAML
    file = home / "querist.yaml"
    file.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    program = str(Path(python).with_name("querist"))
    # A file that is named needs no trust; one that lies in the working directory could point anywhere.
    return [
        program,
        "--config",
        str(file),
        "eval",
        "run",
        str(question_set),
        "--predictions",
        str(predictions),
        "--model",
        name,
    ]
