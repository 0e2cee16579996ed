"""The model's inputs: how raw features become numbers that a network can eat.

This is the reference in numpy; `graph.py` builds the same inside the ONNX graph, and a test compares the two. Raw
features go in, so nothing but the graph decides how they are prepared.
"""

import numpy as np

# Bounds what a broken client can do: 1e308 as revenue is infinity in float32.
RAW_MAX = 1e9
LOG_NAMES = (
    "orders_count_7d",
    "orders_count_30d",
    "orders_count_90d",
    "orders_count_365d",
    "orders_count_all",
    "orders_revenue_sum_30d",
    "orders_revenue_sum_90d",
    "orders_revenue_sum_365d",
    "orders_revenue_sum_all",
    "orders_recency_days",
    "orders_tenure_days",
    "orders_gap_mean_days",
    "products_distinct_90d",
    "refunds_count_365d",
    "refunds_amount_sum_365d",
    "events_count_7d",
    "events_count_30d",
    "events_count_all",
)
INPUT_NAMES = (
    *(f"log1p({name})" for name in LOG_NAMES),
    "no_gap",
    "recency_over_tenure",
    "recency_quarters",
    "log_recency_over_gap",
    "log_order_value",
    "log_rate_all",
    "log_rate_90d",
)


def prepare(x: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Model inputs [n, 25] before normalisation. A feature without value (NaN) counts as 0 and, for gaps, is marked."""
    column = {name: np.clip(np.nan_to_num(x[:, i], nan=0.0), 0.0, RAW_MAX) for i, name in enumerate(names)}
    log = {name: np.log(column[name] + 1.0) for name in LOG_NAMES}
    recency, tenure = column["orders_recency_days"], column["orders_tenure_days"]
    no_gap = np.isnan(x[:, names.index("orders_gap_mean_days")]).astype(np.float64)
    count = column["orders_count_all"]
    derived = [
        no_gap,
        np.clip(recency / (tenure + 1.0), 0.0, 1.0),
        np.clip(recency / 90.0, 0.0, 4.0),
        (1.0 - no_gap) * np.clip(log["orders_recency_days"] - log["orders_gap_mean_days"], -5.0, 5.0),
        log["orders_revenue_sum_all"] - log["orders_count_all"],
        np.log(90.0 * count / (tenure + 30.0) + 1.0),
        np.log(90.0 * column["orders_count_90d"] / (np.minimum(tenure, 90.0) + 15.0) + 1.0),
    ]
    return np.stack([*(log[name] for name in LOG_NAMES), *derived], axis=1)
