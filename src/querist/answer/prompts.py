"""The prompts of the answer engine, files in `prompts/`."""

from __future__ import annotations

from functools import partial

from querist.models.prompt import read_prompt

prompt = partial(read_prompt, "querist.answer")
"""The prompt of a name."""
