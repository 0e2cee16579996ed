"""The manifest that goes with the graph: tensors, features and heads, as packages/domain/model-manifest reads them."""

from .graph import OUTPUTS

FORMAT_VERSION = 2


def describe_tensors(features: int) -> dict:
    return {
        "inputs": [{"name": "features", "dtype": "float32", "shape": [None, features]}],
        "outputs": [{"name": name, "dtype": "float32", "shape": [None]} for name in OUTPUTS],
    }


def describe_heads(horizon_days: int) -> list[dict]:
    """Conditions, ledger and HTTP call a head by its name; the output is the tensor that holds it."""
    ahead = {"horizonDays": horizon_days}
    within = f"the next {horizon_days} days"
    probability = {"kind": "probability", **ahead, "unit": "probability"}
    return [
        {"name": "purchase", "output": "purchase_probability", "meaning": f"At least one order in {within}", **probability},
        {
            "name": "churn",
            "output": "churn_probability",
            "meaning": f"No order in {within}, for a customer; 0 for a prospect (no order yet)",
            **probability,
        },
        {
            "name": "expected_spend",
            "output": "expected_spend",
            "meaning": f"Spend in {within}: purchase probability x expected spend if any",
            "kind": "amount",
            **ahead,
            "unit": "currency of the events",
        },
    ]
