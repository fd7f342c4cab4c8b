"""Writes marked answers as a JUnit file, which CI services show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from querist.evaluate.failure import failure_text
from querist.evaluate.prediction import Prediction

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def junit_file(name: str, marked: Sequence[Prediction]) -> str:
    """One test case for each answer; those that are not right, or over their budget, are failures."""
    failed = [p for p in marked if p.mark is None or not p.mark.passed]
    suite = ET.Element(
        "testsuite",
        name=_clean(name),
        tests=str(len(marked)),
        failures=str(len(failed)),
        errors="0",
        skipped="0",
        time=f"{sum(p.seconds for p in marked):.3f}",
    )
    for prediction in marked:
        label = f"{prediction.id}" + (f" (time {prediction.repeat + 1})" if prediction.repeat else "")
        case = ET.SubElement(
            suite, "testcase", classname=_clean(name), name=_clean(label), time=f"{prediction.seconds:.3f}"
        )
        mark = prediction.mark
        if mark is not None and not mark.passed:
            message = mark.reason or "; ".join(mark.over_budget)
            ET.SubElement(case, "failure", message=_clean(message)).text = _clean(failure_text(prediction))
        if mark is not None and mark.passed and prediction.warnings:
            ET.SubElement(case, "system-out").text = _clean("\n".join(prediction.warnings))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
