"""Clusters of rows by k-means on scaled columns; the number of clusters by silhouette where none is given."""

from __future__ import annotations

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import complete
from querist.analysis.techniques.base import Column, Params, Technique
from querist.errors import UsageError

MOST_CLUSTERS = 8
JUDGED = 2_000
"""Rows that the silhouette is computed on."""


class ClustersParams(Params):
    columns: list[Column] = Field(min_length=1, max_length=10)
    count: int = Field(default=0, ge=0, le=20, description="Number of clusters; 0 to find it")


class Clusters(Technique[ClustersParams]):
    name = "clusters"
    description = "Group similar rows by k-means; sizes and centres of the groups."

    def compute(self, params: ClustersParams) -> Findings:
        from sklearn.cluster import KMeans
        from sklearn.metrics import silhouette_score
        from sklearn.preprocessing import StandardScaler

        found = Gathering(self.name)
        rows = complete(self.frame, params.columns)
        if len(rows) < 10 or len(rows.drop_duplicates()) <= max(params.count, 2):
            raise UsageError(f"{len(rows)} complete rows are too few, or too much alike, for clusters.")
        if dropped := len(self.frame) - len(rows):
            found.warn(f"{dropped:,} rows with a missing value are left out.")
        scaled = StandardScaler().fit_transform(rows)
        most = min(MOST_CLUSTERS, len(rows.drop_duplicates()) - 1)
        tried = {}
        for count in [params.count] if params.count else range(2, most + 1):
            labels = KMeans(count, n_init=10, random_state=0).fit_predict(scaled)
            tried[count] = (
                silhouette_score(scaled, labels, sample_size=min(JUDGED, len(rows)), random_state=0),
                labels,
            )
        best = max(tried, key=lambda count: tried[count][0])
        score, labels = tried[best]
        found.add("clusters", best, "number of clusters")
        found.add("silhouette", score, "how well the clusters are apart, -1 to 1")
        if score < 0.25:
            found.warn("The clusters are hardly apart (silhouette below 0.25): the data may have none.")
        for number, part in rows.groupby(labels):
            found.add(f"size_{number}", len(part), f"rows in cluster {number}")
            for column in params.columns:
                found.add(f"mean_{column}_{number}", part[column].mean(), f"mean of {column} in cluster {number}")
        return found.done()
