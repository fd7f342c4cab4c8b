"""Writes marked answers as one HTML page that needs nothing else: styles, script and charts are in it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import resources

from querist.evaluate.charts import coverage_chart, histogram, share_bars
from querist.evaluate.prediction import Prediction, Preview
from querist.evaluate.statistics import Share
from querist.evaluate.summary import Summary, summarize

MOST_TAGS = 14
"""Tags that get a bar in the chart: the most frequent ones."""


def report_page(name: str, marked: Sequence[Prediction]) -> str:
    """The page for these answers.

    Args:
        name: what is reported, for the title.
        marked: with their marks.
    """
    summary = summarize(marked)
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    models = ", ".join(dict.fromkeys(p.model for p in marked if p.model)) or "unknown"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{_text(name)}: {_percent(summary.right)} right</title>
<style>
{_part("report.css")}</style>
</head>
<body>
<main>
<h1>{_text(name)}</h1>
<p>{summary.questions} answers, model {_text(models)}</p>
<section class="figures">{_figures(summary)}</section>
<section class="charts">{_charts(summary, marked)}</section>
<h2>Questions</h2>
{_filters(marked)}
<section>{"".join(_item(p) for p in sorted(marked, key=_urgency))}</section>
</main>
<script>
{_part("report.js")}</script>
</body>
</html>
"""


def _part(name: str) -> str:
    return resources.files("querist.evaluate").joinpath(name).read_text(encoding="utf-8")


def _figures(summary: Summary) -> str:
    low, high = summary.right.interval
    each = summary.per_question
    trusted = Share(summary.trusted.total, summary.questions)
    seconds = summary.seconds
    right = f"right ({summary.right.part} of {summary.questions}); 95% interval {100 * low:.1f} to {100 * high:.1f}%"
    tokens = f"{each['tokens_in']:,.0f} tokens in, {each['tokens_out']:,.0f} out"
    figures = [
        (_percent(summary.right), right),
        (_percent(summary.silent), "wrong without a warning, of all"),
        (_percent(summary.trusted), f"right of the verified and agreed, which are {_percent(trusted)} of all"),
        (_percent(summary.needless), "of the right answers carry a warning"),
        (f"{seconds['p50']:.2f} s", f"median time; p90 {seconds['p90']:.2f} s, p99 {seconds['p99']:.2f} s"),
        (f"{each['model_calls']:.1f}", f"model calls a question, {tokens}"),
    ]
    if summary.repeats > 1:
        figures.append((str(len(summary.unstable)), f"questions that differ between {summary.repeats} times"))
    return "".join(f"<div><b>{_text(value)}</b><span>{_text(told)}</span></div>" for value, told in figures)


def _charts(summary: Summary, marked: Sequence[Prediction]) -> str:
    charts = [share_bars("Right, by status", summary.by_status)]
    if summary.by_hardness:
        charts.append(share_bars("Right, by hardness", summary.by_hardness))
    if summary.by_tag:
        frequent = sorted(summary.by_tag.items(), key=lambda item: -item[1].total)[:MOST_TAGS]
        charts.append(share_bars("Right, by tag", dict(frequent)))
    charts.append(coverage_chart("Right, when only the surest are answered", summary.curve, summary.right.rate or 0.0))
    charts.append(histogram("Time", [p.seconds for p in marked]))
    return "".join(charts)


def _filters(marked: Sequence[Prediction]) -> str:
    statuses = dict.fromkeys(p.status for p in marked)
    kinds = dict.fromkeys(kind for p in marked for kind in _kinds(p))
    return (
        '<form><input type="search" name="words" placeholder="Find words" aria-label="Find words">'
        f"{_select('mark', 'All answers', ['right', 'wrong', 'silent', 'warned', 'over-budget'])}"
        f"{_select('status', 'Any status', statuses)}{_select('tag', 'Any kind', kinds)}<output></output></form>"
    )


def _select(name: str, all_of_them: str, values: Iterable[str]) -> str:
    options = "".join(
        f'<option value="{_text(value.replace(" ", "-")) if name == "mark" else _text(value)}">{_text(value)}</option>'
        for value in values
    )
    return f'<select name="{name}" aria-label="{all_of_them}"><option value="">{all_of_them}</option>{options}</select>'


def _item(prediction: Prediction) -> str:
    mark = prediction.mark
    assert mark is not None, "only marked predictions are reported"
    marks = ["right" if mark.right else "wrong"]
    marks += ["silent"] * prediction.silent + ["warned"] * bool(prediction.warnings)
    marks += ["over-budget"] * bool(mark.over_budget)
    question = prediction.question or str(prediction.id)
    again = f" (time {prediction.repeat + 1})" if prediction.repeat else ""
    told = [f'<p class="reason">{_text(mark.reason)}</p>'] if mark.reason else []
    told += [f'<p class="reason">{_text(sentence)}</p>' for sentence in mark.over_budget]
    told += [f'<p class="warning">Warning: {_text(warning)}</p>' for warning in prediction.warnings]
    tokens = f"{prediction.tokens_in:,} tokens in, {prediction.tokens_out:,} out"
    status = prediction.status + (", warned" if prediction.warnings else "")
    agreed, ran = prediction.agreement
    facts = [str(prediction.id), prediction.db, *_kinds(prediction), f"{prediction.model_calls} model calls", tokens]
    facts += [f"{agreed} of {ran} drafts agree"] if ran else []
    return (
        f'<details data-mark="{_text(" ".join(marks))}" data-status="{_text(prediction.status)}" '
        f'data-tags="{_text(chr(10).join(_kinds(prediction)))}"><summary>'
        f'<span class="{marks[0]}">{marks[0]}</span><span>{_text(question)}{again}</span>'
        f"<span>{_text(status)}</span><span>{prediction.seconds:.2f} s</span></summary>"
        f'<div class="body">{"".join(told)}<div class="sides">'
        f"<div><h3>Expected</h3>{_side(mark.expected, mark.expected_text, mark.expected_sql)}</div>"
        f"<div><h3>Got</h3>{_side(mark.got, prediction.text, prediction.sql or '')}</div></div>"
        f'<p class="facts">{_text(" · ".join(fact for fact in facts if fact))}</p></div></details>'
    )


def _side(preview: Preview | None, text: str, sql: str) -> str:
    parts = [f"<pre>{_text(sql)}</pre>"] if sql else []
    if preview is None:
        return "".join([*parts, f"<p>{_text(text)}</p>" if text else ""])
    head = "".join(f"<th>{_text(name)}</th>" for name in preview.columns)
    rows = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in preview.rows)
    more = f"<p>{preview.total:,} rows in all</p>" if preview.total > len(preview.rows) else ""
    none = "" if preview.rows else "<p>no rows</p>"
    return "".join([*parts, f'<div class="rows"><table><tr>{head}</tr>{rows}</table></div>{more}{none}'])


def _cell(value: object) -> str:
    return '<td class="null">NULL</td>' if value is None else f"<td>{_text(str(value))}</td>"


def _kinds(prediction: Prediction) -> list[str]:
    mark = prediction.mark
    return [kind for kind in (mark.hardness, *mark.tags) if kind] if mark else []


def _urgency(prediction: Prediction) -> tuple[bool, bool]:
    """What a reader should look at first comes first: silently wrong, then wrong, then the rest."""
    return (prediction.right, not prediction.silent)


def _percent(share: Share) -> str:
    return "–" if share.rate is None else f"{100 * share.rate:.1f}%"


def _text(text: str) -> str:
    return html.escape(text, quote=True)
