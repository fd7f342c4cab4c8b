"""Clusters of rows by k-means on scaled columns; the number of clusters by silhouette where none is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, counted
from querist.analysis.frame import complete
from querist.analysis.phrases import figure, listed
from querist.analysis.techniques.base import Amount, Params, Technique, when_asked
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.statistical import REST, points
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

MOST_CLUSTERS = 8
JUDGED = 2_000
"""Rows that the silhouette is computed on."""
FITTED = 5_000
"""Rows that centres are found on; the others then go to the nearest."""
COMPARED, REFERENCES = 500, 5
"""Rows and number of the sets without clusters that those found are held against, of each kind."""
CLEAR = 0.05
"""How much higher the silhouette of clusters is than that of sets without; their number was chosen for it."""


class ClustersParams(Params):
    columns: list[Amount] = Field(min_length=1, max_length=10)
    count: Annotated[int, when_asked(r"\d|two|three|four|five|six|seven|eight|nine|ten")] = Field(
        default=0, ge=0, le=20, description="Number of clusters; 0 to find it"
    )


class Clusters(Technique[ClustersParams]):
    name = "clusters"
    description = "Group similar rows by k-means; sizes and centres of the groups."

    def compute(self, params: ClustersParams) -> Findings:
        found = Gathering(self.name)
        if params.count == 1:
            raise UsageError("One cluster is all rows.", hint="Ask for two or more, or for 0 to find their number.")
        rows = complete(self.frame, params.columns)
        different = len(rows.drop_duplicates())
        if len(rows) < 10 or different <= max(params.count, 2):
            raise UsageError(
                f"{counted(len(rows), 'complete row')}, {different:,} of them different, are too few for clusters."
            )
        found.left_out(len(self.frame) - len(rows), "a value of each column")
        if alike := [column for column in rows.columns if rows[column].nunique() == 1]:
            found.warn(f"{', '.join(alike)} has one value only and tells no clusters apart.")
        from sklearn.cluster import KMeans
        from sklearn.preprocessing import StandardScaler

        scaled = StandardScaler().fit_transform(rows)
        sample = scaled
        if len(rows) > FITTED:
            sample = scaled[rows.reset_index(drop=True).sample(FITTED, random_state=0).index]
            found.warn(f"The centres were found on {FITTED:,} of {len(rows):,} rows.")
        tried = {}
        for count in [params.count] if params.count else range(2, min(MOST_CLUSTERS, different - 1) + 1):
            model = KMeans(count, n_init=10, random_state=0).fit(sample)
            tried[count] = (_silhouette(sample, model.labels_), model)
        best = max(tried, key=lambda count: tried[count][0])
        score, model = tried[best]
        found.add("clusters", best, "number of clusters")
        found.add("silhouette", score, "how well the clusters are apart, -1 to 1")
        chance = _by_chance(scaled, best)
        found.add("silhouette_by_chance", chance, "the highest of as many clusters in rows that have none")
        apart = f"their silhouette is {score:.3g}, that of rows without clusters {chance:.3g}"
        clear = score > chance + CLEAR
        found.say(f"{best} clusters of rows: {apart}." if clear else f"No clear clusters; of the {best} tried {apart}.")
        if not clear:
            found.warn(f"Rows without any clusters have a silhouette of {chance:.2f}, too: these may have none.")
        nearest = model.predict(scaled)
        found.chart = _picture(rows, nearest, model.cluster_centers_, score)
        for number, part in rows.groupby(nearest):
            centre = listed([f"{column} {figure(part[column].mean())}" for column in rows.columns])
            if best <= MOST_CLUSTERS:
                found.say(f"{len(part):,} rows: {centre}.")
            found.add(f"size_{number}", len(part), f"rows in cluster {number}")
            for column in rows.columns:
                found.add(f"mean_{column}_{number}", part[column].mean(), f"mean of {column} in cluster {number}")
        return found.done()


def _silhouette(rows: Any, labels: Any) -> float:
    """On some of many rows, one of each cluster among them: chance may miss a small cluster."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    some = np.random.default_rng(0).permutation(len(rows))[:JUDGED]
    some = np.union1d(some, np.unique(labels, return_index=True)[1])
    return float(silhouette_score(rows[some], labels[some]))


def _by_chance(scaled: Any, count: int) -> float:
    """The highest silhouette among sets of rows that spread as these do and have no clusters, normal and uniform ones.

    After the reference sets of the gap statistic (Tibshirani, Walther and Hastie 2001), along the principal axes.
    """
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    random = np.random.default_rng(0)
    shape = (min(len(scaled), COMPARED), scaled.shape[1])
    axes = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)[2]
    along = scaled @ axes.T
    normal = [random.normal(along.mean(axis=0), along.std(axis=0), shape) for _ in range(REFERENCES)]
    uniform = [random.uniform(along.min(axis=0), along.max(axis=0), shape) for _ in range(REFERENCES)]
    fitted = [(rows, KMeans(count, n_init=5, random_state=0).fit(rows)) for rows in (*normal, *uniform)]
    return max(float(silhouette_score(rows, model.labels_)) for rows, model in fitted)


def _picture(rows: pd.DataFrame, nearest: Any, centres: Any, score: float) -> Chart:
    """The rows by the two columns in which the centres of the clusters lie furthest apart."""
    import pandas as pd

    across, up = [*rows.columns[(-centres.std(axis=0)).argsort()], ""][:2]
    largest = pd.Series(nearest).value_counts().index[:MOST_CLUSTERS].tolist()
    names = [f"Cluster {number}" for number in sorted(largest)] + [REST] * (len(centres) > MOST_CLUSTERS)
    groups = [f"Cluster {number}" if number in largest else REST for number in nearest]
    height = rows[up] if up else nearest
    marks = list(zip(rows[across].tolist(), height.tolist(), groups, strict=True))
    told = f"{len(centres)} clusters of rows (silhouette {score:.2f})"
    return points(marks, (title(across), title(up) if up else "Cluster"), told, names=names)
