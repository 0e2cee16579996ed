"""Metrics of a model on one population, and how sure they are."""

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

ECE_BINS = 10


def ece(y: np.ndarray, p: np.ndarray) -> float:
    """Expected calibration error over ten bins of about equal size."""
    edges = np.quantile(p, np.linspace(0, 1, ECE_BINS + 1))
    bins = np.clip(np.searchsorted(edges, p, "right") - 1, 0, ECE_BINS - 1)
    found = [bins == i for i in range(ECE_BINS) if (bins == i).any()]
    return float(sum(mask.mean() * abs(y[mask].mean() - p[mask].mean()) for mask in found))


def lift_at_tenth(y: np.ndarray, p: np.ndarray) -> float:
    """Share of buyers among the tenth with the highest probability, over the share among all."""
    top = np.argsort(-p, kind="stable")[: int(len(y) * 0.1)]
    return float(y[top].mean() / y.mean())


def gini(y: np.ndarray, p: np.ndarray) -> float:
    order = np.argsort(-p, kind="stable")
    shares = np.cumsum(y[order]) / y.sum()
    return float(shares.mean() - (len(y) + 1) / (2 * len(y)))


def measure_purchase(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    return {
        "auc": float(roc_auc_score(y, p)),
        "logLoss": float(log_loss(y, p)),
        "ece": ece(y, p),
        "liftAt10": lift_at_tenth(y, p),
    }


def measure(y: np.ndarray, p: np.ndarray, spend: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Of the purchase probability, and of expected spend: its normalised Gini, and predicted over actual sum."""
    return {
        **measure_purchase(y, p),
        "spendGini": gini(spend, expected) / gini(spend, spend),
        "spendRatio": float(expected.sum() / spend.sum()),
    }


def bootstrap(y: np.ndarray, p: np.ndarray, other: np.ndarray, rounds: int, seed: int) -> dict[str, list[float]]:
    """95 % intervals over users: of AUC and log loss, and of their paired difference to `other` (first minus second)."""
    random = np.random.default_rng(seed)
    samples: dict[str, list[float]] = {"auc": [], "logLoss": [], "aucMinusOther": [], "logLossMinusOther": []}
    for _ in range(rounds):
        take = random.integers(0, len(y), len(y))
        auc, loss = roc_auc_score(y[take], p[take]), log_loss(y[take], p[take])
        samples["auc"].append(auc)
        samples["logLoss"].append(loss)
        samples["aucMinusOther"].append(auc - roc_auc_score(y[take], other[take]))
        samples["logLossMinusOther"].append(loss - log_loss(y[take], other[take]))
    return {key: [round(float(v), 4) for v in np.quantile(found, [0.025, 0.975])] for key, found in samples.items()}
