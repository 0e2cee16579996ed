"""The ONNX graph is the numpy reference, and bears whatever comes in."""

import numpy as np
import onnxruntime
import pytest

from perennial_trainer.__main__ import PROSPECT_PURCHASE, split
from perennial_trainer.graph import OUTPUTS, build
from perennial_trainer.inputs import LOG_NAMES
from perennial_trainer.network import fit
from perennial_trainer.rows import Rows

NAMES = LOG_NAMES
GAP, COUNT = NAMES.index("orders_gap_mean_days"), NAMES.index("orders_count_all")


def make_rows(count: int, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    x = np.round(random.exponential(20.0, (count, len(NAMES))), 2)
    x[:, COUNT] = random.integers(1, 9, count)
    x[x[:, COUNT] == 1, GAP] = np.nan
    bought = (random.random(count) < 0.4).astype(float)
    return Rows(x, bought, bought * random.exponential(30.0, count), np.array([str(i) for i in range(count)]))


@pytest.fixture(scope="module")
def fitted():
    network = fit({"a": make_rows(600, 1)}, {"a": make_rows(300, 2)}, NAMES, [1, 2])
    session = onnxruntime.InferenceSession(
        build(network, PROSPECT_PURCHASE).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return network, lambda x: dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"features": x.astype(np.float32)})))


def test_graph_agrees_with_numpy(fitted):
    network, run = fitted
    x = make_rows(400, 3).x
    found = run(x)
    np.testing.assert_allclose(found["purchase_probability"], network.purchase(x), atol=1e-5)
    np.testing.assert_allclose(found["churn_probability"], 1 - network.purchase(x), atol=1e-5)
    np.testing.assert_allclose(found["expected_spend"], network.purchase(x) * network.spend_if_any(x), rtol=1e-4)


def test_prospects_are_not_guessed(fitted):
    _, run = fitted
    x = np.full((3, len(NAMES)), np.nan)
    x[1] = 0.0
    x[2, COUNT] = 1.0
    found = run(x)
    assert found["purchase_probability"][:2] == pytest.approx(PROSPECT_PURCHASE)
    assert list(found["churn_probability"][:2]) == [0.0, 0.0]
    assert found["churn_probability"][2] > 0


@pytest.mark.parametrize("value", [0.0, -5.0, 1e9, 1e308, np.inf, -np.inf, np.nan])
def test_any_number_gives_finite_scores(fitted, value):
    _, run = fitted
    with np.errstate(over="ignore"):
        found = run(np.full((2, len(NAMES)), value))
    assert all(np.isfinite(found[name]).all() for name in OUTPUTS)


def test_split_keeps_the_horizon_between_the_roles():
    rows = make_rows(2, 1)
    cutoffs = ["1997-06-01", "1997-10-03", "1997-10-04", "1998-01-01", "1998-04-01"]
    chosen = split({f"{c}T00:00:00.000Z": rows for c in cutoffs}, 90)
    assert [[c[:10] for c in chosen[role]] for role in ("train", "validation", "test")] == [
        ["1997-06-01", "1997-10-03"],
        ["1998-01-01"],
        ["1998-04-01"],
    ]
