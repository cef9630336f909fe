"""Random plain networks agree exactly with the Keras models built from them.

`HYPOTHESIS_PROFILE=long` draws thousands; see `strategies`.
"""

import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("torch")

from hypothesis import given
from keras_oracle import flop_counter_macs, rows_of, torch_backend_table
from keras_strategies import keras_networks
from strategies import PROFILE

from cnnmem import summary
from cnnmem.frameworks import keras as models
from cnnmem.model.layers.resizing import UpsampleBy


def by_name(table):
    """Return what both sides must agree on; inputs differ, since Keras flattens in an extra row."""
    return {
        row.name: (
            row.kind,
            row.output,
            row.weights,
            row.biases,
            row.statistics,
            row.values,
            row.views,
            row.macs,
        )
        for row in table.rows
    }


@PROFILE
@given(keras_networks())
def test_plain_networks_agree_with_keras(drawn):
    plain = summary(drawn.network, batch=drawn.batch)
    model = models.without_weights(models.build, drawn.network)
    table = summary(model, batch=drawn.batch)
    rows, theirs = by_name(plain), by_name(table)
    assert {name: theirs[name] for name in rows} == rows
    extra = theirs.keys() - rows.keys()
    assert all(name.endswith(("_pad", "_flatten")) for name in extra)
    assert table.uncounted == ()
    assert plain.params + plain.statistics == model.count_params()
    for row in plain.rows[1:]:
        assert row.output == tuple(model.get_layer(row.name).output.shape[1:])
    shapes = [(drawn.batch, *drawn.network.image)]
    # Keras' up-sampling does not run on PyTorch's meta device
    if not any(isinstance(node.layer, UpsampleBy) for node in drawn.network.nodes):
        assert plain.macs == flop_counter_macs(model, shapes)
    assert torch_backend_table(model, shapes) == rows_of(table)
