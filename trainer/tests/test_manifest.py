"""What the manifest says of the graph."""

from perennial_trainer.graph import OUTPUTS
from perennial_trainer.manifest import describe_heads, describe_tensors


def test_each_output_is_one_head():
    heads = describe_heads(90)
    assert [head["output"] for head in heads] == list(OUTPUTS)
    assert [tensor["name"] for tensor in describe_tensors(18)["outputs"]] == list(OUTPUTS)
    assert len({head["name"] for head in heads}) == len(heads)


def test_heads_say_their_horizon_and_range():
    for head in describe_heads(30):
        assert head["horizonDays"] == 30 and "30 days" in head["meaning"]
        assert head["kind"] == "probability" or head["unit"]
