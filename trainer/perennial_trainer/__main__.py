"""python -m perennial_trainer --rows NAME=FILE.csv [--rows ...] --out models/default"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from .evaluate import bootstrap, measure, measure_purchase
from .graph import OUTPUTS, build
from .inputs import prepare
from .manifest import FORMAT_VERSION, describe_heads, describe_tensors
from .network import calibrate, fit, is_customer
from .rows import Rows, Spec, concat, load_export

# A prospect has no order to learn from in purchase histories. Not fitted: a stated assumption.
PROSPECT_PURCHASE = 0.05
AT_RISK_DAYS = 90


def split(by_cutoff: dict[str, Rows], horizon_days: int) -> dict[str, list[str]]:
    """The last cutoff is the test, the last one a horizon before it validation, all those a horizon before that training."""
    cutoffs = sorted(by_cutoff)
    days = {cutoff: np.datetime64(cutoff.rstrip("Z"), "s") for cutoff in cutoffs}
    horizon = np.timedelta64(horizon_days, "D")
    test = cutoffs[-1]
    earlier = [c for c in cutoffs if days[c] + horizon <= days[test]]
    if not earlier:
        raise SystemExit(f"no cutoff lies {horizon_days} days before {test}: nothing to validate on")
    validation = earlier[-1]
    train = [c for c in cutoffs if days[c] + horizon <= days[validation]]
    if not train:
        raise SystemExit(f"no cutoff lies {horizon_days} days before {validation}: nothing to train on")
    return {"train": train, "validation": [validation], "test": [test]}


def fit_logistic(train: dict[str, Rows], spec: Spec):
    """The baseline: logistic regression over the same inputs, not calibrated."""
    raw = np.concatenate([prepare(rows.x, spec.names) for rows in train.values()])
    weight = np.concatenate([np.full(len(rows.x), 1.0 / len(rows.x)) for rows in train.values()])
    mean, scale = raw.mean(axis=0), raw.std(axis=0) + 1e-6
    bought = np.concatenate([rows.bought for rows in train.values()])
    model = LogisticRegression(C=0.1, max_iter=1000).fit((raw - mean) / scale, bought, weight * len(weight) / weight.sum())
    return lambda x: model.predict_proba((prepare(x, spec.names) - mean) / scale)[:, 1]


def score(session: onnxruntime.InferenceSession, x: np.ndarray) -> dict[str, np.ndarray]:
    found = session.run(list(OUTPUTS), {"features": x.astype(np.float32)})
    return {name: value.astype(np.float64) for name, value in zip(OUTPUTS, found, strict=True)}


def evaluate(spec: Spec, test: dict[str, Rows], session, singles, logistic, rounds: int) -> list[dict]:
    """Metrics of the very graph that ships, on every test set: all customers, and those who bought within 90 days."""
    found = []
    recency = spec.names.index("orders_recency_days")
    for name, rows in test.items():
        populations = {"all": np.ones(len(rows.x), bool), "atRisk": rows.x[:, recency] <= AT_RISK_DAYS}
        for population, mask in populations.items():
            part = rows.take(mask)
            scores = score(session, part.x)
            p = scores["purchase_probability"]
            other = logistic(part.x)
            seeds = [
                measure(part.bought, net.purchase(part.x), part.spend, net.purchase(part.x) * net.spend_if_any(part.x))
                for net in singles
            ]
            found.append(
                {
                    "set": name,
                    "population": population,
                    "users": int(len(part.x)),
                    "buyers": int(part.bought.sum()),
                    **round_all(measure(part.bought, p, part.spend, scores["expected_spend"])),
                    "interval95": bootstrap(part.bought, p, other, rounds, seed=1),
                    "seedMean": round_all({k: float(np.mean([s[k] for s in seeds])) for k in seeds[0]}),
                    "seedStd": round_all({k: float(np.std([s[k] for s in seeds])) for k in seeds[0]}),
                    "logisticSameInputs": round_all(measure_purchase(part.bought, other)),
                    "recencyAlone": {"auc": round(float(roc_auc_score(part.bought, -part.x[:, recency])), 4)},
                }
            )
    return found


def round_all(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="perennial_trainer", description=__doc__)
    parser.add_argument("--rows", action="append", required=True, metavar="NAME=FILE.csv", help="an export; repeat for several")
    parser.add_argument("--test-only", action="append", default=[], metavar="NAME", help="measure on this set, learn nothing from it")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--name", default="default")
    parser.add_argument("--seeds", type=int, default=5, help="members of the ensemble")
    parser.add_argument("--bootstrap", type=int, default=500, help="resamples for the intervals")
    arguments = parser.parse_args()

    exports = {name: load_export(Path(file)) for name, file in (item.split("=", 1) for item in arguments.rows)}
    specs = {spec for spec, _ in exports.values()}
    if len(specs) != 1:
        raise SystemExit(f"the exports are of different feature specs: {sorted(s.hash for s in specs)}")
    spec = specs.pop()
    cutoffs = {name: split(by_cutoff, spec.horizon_days) for name, (_, by_cutoff) in exports.items()}

    def gather(role: str) -> dict[str, Rows]:
        joined = {name: concat([exports[name][1][c] for c in chosen[role]]) for name, chosen in cutoffs.items()}
        return {name: rows.take(is_customer(rows, spec.names)) for name, rows in joined.items()}

    train, validation, test = gather("train"), gather("validation"), gather("test")
    for name in arguments.test_only:
        del train[name], validation[name]
    seeds = list(range(1, arguments.seeds + 1))
    network = fit(train, validation, spec.names, seeds)
    singles = [fit(train, validation, spec.names, [seed]) for seed in seeds]
    model = build(network, PROSPECT_PURCHASE)
    content = model.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    metrics = evaluate(spec, test, session, singles, fit_logistic(train, spec), arguments.bootstrap)

    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "model.onnx").write_bytes(content)
    manifest = {
        "formatVersion": FORMAT_VERSION,
        "name": arguments.name,
        "kind": "tabular",
        "file": {"name": "model.onnx", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
        **describe_tensors(len(spec.names)),
        "featureSpecHash": spec.hash,
        "features": [{"name": name, "hash": hash} for name, hash in zip(spec.names, spec.hashes, strict=True)],
        "heads": describe_heads(spec.horizon_days),
        "assumptions": {"prospects": f"a purchase probability of {PROSPECT_PURCHASE} is assumed, not learned"},
        "trainedOn": {name: {**cutoffs[name], "trainRows": int(len(rows.x))} for name, rows in train.items()},
        "calibration": {"method": "Platt scaling, one for all sets", "fittedOn": "validation"},
        "seeds": seeds,
        "metrics": metrics,
    }
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for row in metrics:
        print(json.dumps({k: row[k] for k in ("set", "population", "users", "auc", "logLoss", "ece", "liftAt10", "spendGini", "spendRatio")}))


if __name__ == "__main__":
    main()
