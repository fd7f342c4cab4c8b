"""What words near a number make of it: its sign, a bound, a level; and what is claimed in words alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

NEAR = 80
"""Characters on either side of a number in which a word may say its sign, or make it a bound."""
_TIMES = re.compile(
    r"\b(?:twice|thrice|(?:doubl|tripl|trebl|quadrupl|halv)\w+|(?:two|three|four|five|ten)-?fold)\b", re.I
)
INTERVAL = re.compile(r"\b95\s?(?:%|per ?cent)[- ](?:\w+ )?(?:interval|limit|band|range|bound|level|CI|PI)s?\b", re.I)
"""A number that only names a thing."""
_NO = r"(?<!not )(?<!no )(?<!non-)\b"
_FALL = (
    rf"{_NO}(?:minus|negativ\w*|invers\w*|opposite|f[ae]ll\w*|drop\w*|declin\w*|decreas\w*|reduc\w*|shr[aiu]nk\w*|"
    r"los[es]\w*|lost|down\w*)\b"
)
_LESS = r"\b(?:lower|less|fewer|smaller|below|under)\b"
_TURN = r"(?:and|but|while|whereas|r[io]s\w+|gr[eo]w\w*|increas\w+|up|higher|more|positive\w*)\b"
_ON = rf"(?:[\s(]+(?!{_TURN})(?:[^\W\d]+|[=≈~])){{0,5}}[\s(]*$"
"""Up to five words that lead to a number in the same breath."""
_SIGN_BEFORE = re.compile(rf"(?:{_FALL}|{_LESS}(?=\s+by\b)){_ON}(?<!\bto )", re.I)
_SIGN_AFTER = re.compile(
    rf"\s?(?:%|per ?cent|percentage points?)?(?:\s+(?!{_TURN}|is\b|are\b|was\b|were\b)[^\W\d]+){{0,2}}?[\s(]+"
    rf"(?:{_FALL}|{_LESS}(?!(?: than)?(?: the)? [\d.]))|\s+is negative\b",
    re.I,
)
_RELATION = r"(?:negative|inverse)(?:ly)? (?:correlat|relat|associat|slope|trend|coefficient)\w*"
_NEGATIVE = re.compile(rf"{_NO}(?:minus|{_RELATION}){_ON}", re.I)
_BOUND = re.compile(
    r"(?:(?P<below>[<≤]|\b(?:below|under|(?:less|smaller|lower) than))|"
    r"(?P<above>[>≥]|\b(?:above|over|exceed\w*|(?:greater|more|higher|larger) than))|"
    r"(?P<at>\bat)|\busing|\balpha|α)"
    r"(?: (?:the|a|an|usual|common|conventional|significance|level|threshold|alpha|of)\b)*[\s=]*$",
    re.I,
)
_NOT = (
    r"\b(?:not?|nor|never|neither|without|hardly|lacks?|cannot|fail\w* to|insignificant\w*|\w+n['’]t)\b[^.,;:!?]{0,60}?"
)
_DENIED = re.compile(rf"{_NOT}$", re.I)
_CLAIM = re.compile(rf"(?P<denied>{_NOT})?(?<!in)(?<!non)(?<!non-)(?P<claim>significant(?:ly)?)\b", re.I)


def loses_sign(before: str, after: str) -> bool:
    """Whether a word beside the number says that it is negative: "a fall of 3", "3 lower"."""
    return bool(_SIGN_BEFORE.search(before[-NEAR:]) or _SIGN_AFTER.match(after[:NEAR]))


def is_negative(before: str) -> bool:
    """Whether only a negative number can follow: "a negative correlation of 0.3"."""
    return bool(_NEGATIVE.search(before[-NEAR:]))


def bound_at(before: str) -> str:
    """What the number bounds: `below` or `above`; `at` where it is the level of a claim; `set` as such; or nothing."""
    match = _BOUND.search(before[-NEAR:])
    return (match.lastgroup or "set") if match else ""


def denies(before: str) -> bool:
    """Whether the clause denies what it says."""
    return bool(_DENIED.search(before[-NEAR:]))


def claims(text: str) -> Iterator[tuple[int, str]]:
    """Where a text calls something significant, and how."""
    return ((match.start("claim"), match["claim"]) for match in _CLAIM.finditer(text) if not match["denied"])


def multiples(text: str) -> Iterator[tuple[int, str]]:
    """Where a text says that something is so many times as much, in a word that has no number in it."""
    return ((match.start(), match[0]) for match in _TIMES.finditer(text))
