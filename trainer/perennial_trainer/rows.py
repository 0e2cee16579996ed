"""Point-in-time rows as the feature engine exported them: raw features and what happened in the horizon after."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Spec:
    """The feature spec that the rows were computed under."""

    hash: str
    names: tuple[str, ...]
    # Of each feature's definition, in the order of the names.
    hashes: tuple[str, ...]
    horizon_days: int


@dataclass(frozen=True)
class Rows:
    """Raw features [n, f] (NaN: no value), whether a purchase followed, its sum, and whose row it is."""

    x: np.ndarray
    bought: np.ndarray
    spend: np.ndarray
    user: np.ndarray

    def take(self, mask: np.ndarray) -> "Rows":
        return Rows(self.x[mask], self.bought[mask], self.spend[mask], self.user[mask])


def load_export(path: Path) -> tuple[Spec, dict[str, Rows]]:
    """Reads FILE.csv and FILE.csv.json of `scripts/export-features.mjs`; rows by cutoff."""
    raw = json.loads(path.with_name(path.name + ".json").read_text())
    features = raw["features"]
    names, hashes = (tuple(feature[key] for feature in features) for key in ("name", "hash"))
    spec = Spec(raw["specHash"], names, hashes, int(raw["labelDays"]))
    by_cutoff: dict[str, list[tuple[str, list[float], float, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            features = [float(row[name]) if row[name] != "" else np.nan for name in spec.names]
            by_cutoff.setdefault(row["cutoff"], []).append(
                (row["user_id"], features, float(row["label_purchased"]), float(row["label_spend"]))
            )
    return spec, {cutoff: to_rows(found) for cutoff, found in by_cutoff.items()}


def to_rows(found: list[tuple[str, list[float], float, float]]) -> Rows:
    """One cutoff's rows in order of user id, so that a run does not depend on the export's order."""
    found = sorted(found, key=lambda row: row[0])
    return Rows(
        x=np.array([row[1] for row in found], dtype=np.float64),
        bought=np.array([row[2] > 0 for row in found], dtype=np.float64),
        spend=np.array([row[3] for row in found], dtype=np.float64),
        user=np.array([row[0] for row in found]),
    )


def concat(parts: list[Rows]) -> Rows:
    return Rows(
        np.concatenate([p.x for p in parts]),
        np.concatenate([p.bought for p in parts]),
        np.concatenate([p.spend for p in parts]),
        np.concatenate([p.user for p in parts]),
    )
