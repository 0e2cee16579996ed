"""The ONNX graph, built by hand: raw features (float32, NaN for no value) in, three numbers a row out."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .inputs import LOG_NAMES, RAW_MAX
from .network import INPUT_BOUND, LOG_SPEND_MAX, Network

OUTPUTS = ("purchase_probability", "churn_probability", "expected_spend")


class Builder:
    """Nodes and constants, with names made up where none matters."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: object, dtype: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name


def build(network: Network, prospect_purchase: float) -> onnx.ModelProto:
    """A prospect (no order yet) was never seen in training: a fixed probability, and churn 0, for nobody leaves who never came."""
    names, g = network.names, Builder()
    zero, one = g.constant(0.0), g.constant(1.0)
    missing = g.add("IsNaN", "features")
    raw = g.add("Clip", g.add("Where", missing, zero, "features"), zero, g.constant(RAW_MAX))
    log = g.add("Log", g.add("Add", raw, one))

    def column(tensor: str, name: str) -> str:
        return g.add("Gather", tensor, g.constant([names.index(name)], np.int64), axis=1)

    def clip(value: str, low: float, high: float) -> str:
        return g.add("Clip", value, g.constant(low), g.constant(high))

    def log_rate(count: str, days: str) -> str:
        return g.add("Log", g.add("Add", g.add("Div", g.add("Mul", count, g.constant(90.0)), days), one))

    recency, tenure = column(raw, "orders_recency_days"), column(raw, "orders_tenure_days")
    count = column(raw, "orders_count_all")
    no_gap = g.add("Cast", column(missing, "orders_gap_mean_days"), to=TensorProto.FLOAT)
    late = g.add("Sub", column(log, "orders_recency_days"), column(log, "orders_gap_mean_days"))
    inputs = g.add(
        "Concat",
        g.add("Gather", log, g.constant([names.index(name) for name in LOG_NAMES], np.int64), axis=1),
        no_gap,
        clip(g.add("Div", recency, g.add("Add", tenure, one)), 0.0, 1.0),
        clip(g.add("Div", recency, g.constant(90.0)), 0.0, 4.0),
        g.add("Mul", g.add("Sub", one, no_gap), clip(late, -5.0, 5.0)),
        g.add("Sub", column(log, "orders_revenue_sum_all"), column(log, "orders_count_all")),
        log_rate(count, g.add("Add", tenure, g.constant(30.0))),
        log_rate(
            column(raw, "orders_count_90d"),
            g.add("Add", g.add("Min", tenure, g.constant(90.0)), g.constant(15.0)),
        ),
        axis=1,
    )
    normalised = g.add("Div", g.add("Sub", inputs, g.constant(network.mean)), g.constant(network.scale))
    z = clip(normalised, -INPUT_BOUND, INPUT_BOUND)
    hidden = g.add("Relu", g.add("Gemm", z, g.constant(network.hidden_weight), g.constant(network.hidden_bias)))
    logit = g.add("Gemm", hidden, g.constant(network.out_weight[:, None]), g.constant([network.out_bias]))
    spend = g.add("Gemm", z, g.constant(network.spend_weight[:, None]), g.constant([network.spend_bias]))
    spend = g.add("Exp", g.add("Min", spend, g.constant(LOG_SPEND_MAX)))

    customer = g.add("Greater", count, zero)
    purchase = g.add("Where", customer, g.add("Sigmoid", logit), g.constant(prospect_purchase))
    churn = g.add("Where", customer, g.add("Sub", one, purchase), zero)
    expected = g.add("Mul", purchase, spend)
    axis = g.constant([1], np.int64)
    for value, output in zip((purchase, churn, expected), OUTPUTS, strict=True):
        g.add("Squeeze", value, axis, output=output)

    graph = helper.make_graph(
        g.nodes,
        "perennial-tabular",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(names)])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows"]) for output in OUTPUTS],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="perennial-trainer")
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    return model
