"""Two small networks: whether a customer buys within the horizon, and how much if so."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier

from .inputs import prepare
from .rows import Rows

HIDDEN = 16
# Normalised inputs are cut here: far outside of what was seen, a network says anything.
INPUT_BOUND = 4.0
# Of log spend; the conditional spend of one customer is never taken above e^14 (1.2 million) whatever comes in.
LOG_SPEND_MAX = 14.0


@dataclass(frozen=True)
class Network:
    """Everything the graph needs. `hidden` is the members' layers side by side; averaging logits is one wide network."""

    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    hidden_weight: np.ndarray
    hidden_bias: np.ndarray
    out_weight: np.ndarray
    out_bias: float
    spend_weight: np.ndarray
    spend_bias: float

    def normalise(self, x: np.ndarray) -> np.ndarray:
        return np.clip((prepare(x, self.names) - self.mean) / self.scale, -INPUT_BOUND, INPUT_BOUND)

    def logit(self, x: np.ndarray) -> np.ndarray:
        hidden = np.maximum(self.normalise(x) @ self.hidden_weight + self.hidden_bias, 0.0)
        return hidden @ self.out_weight + self.out_bias

    def purchase(self, x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-self.logit(x)))

    def spend_if_any(self, x: np.ndarray) -> np.ndarray:
        return np.exp(np.minimum(self.normalise(x) @ self.spend_weight + self.spend_bias, LOG_SPEND_MAX))


def is_customer(rows: Rows, names: tuple[str, ...]) -> np.ndarray:
    return rows.x[:, names.index("orders_count_all")] > 0


def fit(train: dict[str, Rows], validation: dict[str, Rows], names: tuple[str, ...], seeds: list[int]) -> Network:
    """Fits on `train`, each data set with the same weight; calibrates on `validation` only."""
    raw = {key: prepare(rows.x, names) for key, rows in train.items()}
    everything = np.concatenate(list(raw.values()))
    weight = np.concatenate([np.full(len(rows.x), 1.0 / len(rows.x)) for rows in train.values()])
    weight *= len(weight) / weight.sum()
    mean = np.average(everything, axis=0, weights=weight)
    scale = np.sqrt(np.average((everything - mean) ** 2, axis=0, weights=weight)) + 1e-6
    z = np.clip((everything - mean) / scale, -INPUT_BOUND, INPUT_BOUND)
    bought = np.concatenate([rows.bought for rows in train.values()])
    spend = np.concatenate([rows.spend for rows in train.values()])

    members = [fit_member(z, bought, weight, seed) for seed in seeds]
    buyers = (bought > 0) & (spend > 0)
    ridge = Ridge(alpha=50.0).fit(z[buyers], np.log(spend[buyers]), sample_weight=weight[buyers])
    network = Network(
        names=names,
        mean=mean,
        scale=scale,
        hidden_weight=np.concatenate([m.coefs_[0] for m in members], axis=1),
        hidden_bias=np.concatenate([m.intercepts_[0] for m in members]),
        out_weight=np.concatenate([m.coefs_[1][:, 0] for m in members]) / len(members),
        out_bias=float(np.mean([m.intercepts_[1][0] for m in members])),
        spend_weight=ridge.coef_,
        spend_bias=float(ridge.intercept_),
    )
    return calibrate(network, validation)


def fit_member(z: np.ndarray, bought: np.ndarray, weight: np.ndarray, seed: int) -> MLPClassifier:
    model = MLPClassifier(
        (HIDDEN,), alpha=1.0, max_iter=25, learning_rate_init=2e-3, batch_size=1024, random_state=seed, tol=0.0
    )
    return model.fit(z, bought, sample_weight=weight)


def calibrate(network: Network, validation: dict[str, Rows]) -> Network:
    """Platt scaling of the logit and one factor for spend; both on validation, each data set with the same weight."""
    logit = np.concatenate([network.logit(rows.x) for rows in validation.values()])
    bought = np.concatenate([rows.bought for rows in validation.values()])
    weight = np.concatenate([np.full(len(rows.x), 1000.0 / len(rows.x)) for rows in validation.values()])
    platt = LogisticRegression(C=1e6).fit(logit[:, None], bought, weight)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    factors = []
    for rows in validation.values():
        buyers = (rows.bought > 0) & (rows.spend > 0)
        # The largest 1 % are left out: one wholesale order would set the factor for everybody.
        ratio = rows.spend[buyers] / network.spend_if_any(rows.x[buyers])
        factors.append(np.log(np.mean(np.minimum(ratio, np.quantile(ratio, 0.99)))))
    return Network(
        **{
            **network.__dict__,
            "out_weight": network.out_weight * slope,
            "out_bias": network.out_bias * slope + shift,
            "spend_bias": network.spend_bias + float(np.mean(factors)),
        }
    )
