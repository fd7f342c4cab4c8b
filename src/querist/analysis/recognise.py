"""Which questions ask for statistics by name, so that no query answers them? Decided by words, without a model.

Only what is unmistakable counts: taking an ordinary question for statistics is worse than missing one, which
`querist analyse` still answers. Averages, medians, shares, differences and trends over the years are queries.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|`[^`]*`|(?<!\w)'[^']*'(?!\w)")
_TECHNIQUES = {
    "correlation": (
        r"correlat(?:e[sd]?|ions?|ing)|(?:pearson|spearman|kendall)(?:['’]?s)? (?:rank )?(?:coefficient|rho|tau|r)"
    ),
    "forecast": r"forecast(?:s|ed|ing)?|predict(?:ing)?|extrapolat(?:e|ed|ing|ion)",
    "regression": (
        r"(?:linear|logistic|multiple|simple|ols) regressions?|regression (?:of|on|analysis|model|line|coefficients?)|"
        r"regress(?:ed|ing)? \w+ (?:up)?on|(?:run|fit|make|do|compute|with|by) an? regression"
    ),
    "clusters": (
        r"(?<!the )(?<!which )(?<!this )(?<!a )cluster (?:the|these|all|our|my)|clustering|k-?means|"
        r"(?:into|find|form|natural) (?:\w+ )?clusters"
    ),
    "outliers": r"outliers?|anomal(?:y|ies|ous)",
    "normality": r"normally distributed|normal distribution|normality|skew(?:ness|ed)|kurtosis",
    "compare_groups": (
        r"(?:student['’]?s )?t-?tests?|anova|chi-?squared?|mann-whitney|kruskal(?:-wallis)?|p-?values?|"
        r"statistical(?:ly)? significan(?:t|tly|ce)|significant(?:ly)? differen(?:t|ces?)|differ significantly|"
        r"significantly differ"
    ),
    "trend": (
        r"(?:upward|downward|linear|significant) trends?|trend ?lines?|seasonality|seasonal (?:pattern|decompos)\w*"
    ),
}
_NAMED = re.compile("|".join(rf"(?P<{name}>\b(?:{words})\b)" for name, words in _TECHNIQUES.items()), re.I)


def technique_named(question: str) -> tuple[str, str] | None:
    """The technique that a question names first and the words that name it; None when it names none.

    What stands in quotes is data, and names nothing.
    """
    match = _NAMED.search(_QUOTED.sub(" ", question))
    return (str(match.lastgroup), match[0]) if match else None
