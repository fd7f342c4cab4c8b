from __future__ import annotations

import xml.etree.ElementTree as ET

from querist.evaluate.junit import junit_file
from querist.evaluate.prediction import Preview
from tests.evaluate.marked import marked


def test_every_answer_is_a_case_and_what_has_not_passed_a_failure() -> None:
    rows = Preview(columns=("n",), rows=((1,), (None,)), total=9)
    wrong = marked("b", False, expected=rows, got=rows, warnings=("Careful\x00.",), expected_sql="SELECT n")
    file = junit_file("golden", [marked("a", seconds=1.25), wrong, marked("c", over_budget=("took 9 s of 2 s",))])
    (suite,) = ET.fromstring(file)
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("3", "2", "1.250")
    a, b, c = suite
    assert (a.get("classname"), a.get("name"), len(a)) == ("golden", "a", 0)
    failure = b.find("failure")
    assert failure is not None
    assert failure.get("message") == "other values than expected"
    assert failure.text is not None
    for part in ("Question b?", "expected:", "NULL", "… 9 rows in all", "got (agreed):", "SELECT 1", "Careful\ufffd."):
        assert part in failure.text
    assert c.find("failure") is not None
