"""Reading Keras models into tables: what the rows hold, and what is refused clearly."""

import math

import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("torch")

from keras import layers as L
from keras_oracle import flop_counter_macs, rows_of, torch_backend_table

import cnnmem.count.summary
from cnnmem.errors import CnnmemError, ShapeError, UnknownNameError
from cnnmem.frameworks import keras as models


def chain(shape, *layers, **options):
    return keras.Sequential([keras.Input(shape), *layers], **options)


def names(table):
    return [row.name for row in table.rows]


def stored(model):
    return sum(math.prod(v.shape) for v in model.weights)


def test_the_entry_point_finds_the_adapter():
    model = chain((8, 8, 3), L.Conv2D(4, 3, name="conv"))
    assert cnnmem.count.summary.summary(model, batch=3) == cnnmem.summary(model, batch=3)


def test_a_keras_table_does_not_say_what_backward_keeps():
    table = cnnmem.summary(chain((8, 8, 3), L.Conv2D(4, 3)))
    assert table.saved_bytes is None
    assert not table.says_saved


def test_rows_of_a_built_model():
    model = chain(
        (9, 9, 3),
        L.Conv2D(4, 3, activation="relu", name="conv"),
        L.BatchNormalization(name="norm"),
        L.Dropout(0.5, name="drop"),
        L.Flatten(name="flat"),
        L.Dense(5, use_bias=False, name="fc"),
        name="small",
    )
    table = cnnmem.summary(model, batch=2)
    assert (table.network, table.image, table.batch) == ("small", (9, 9, 3), 2)
    rows = [
        (r.name, r.kind, r.output, r.weights, r.biases, r.statistics, r.values, r.views, r.macs)
        for r in table.rows
    ]
    assert rows == [
        ("input", "input", (9, 9, 3), 0, 0, 0, 486, 0, 0),
        ("conv", "conv", (7, 7, 4), 108, 4, 0, 392, 0, 2 * 108 * 49),
        ("norm", "batch_norm", (7, 7, 4), 4, 4, 8, 392, 0, 0),
        ("drop", "dropout", (7, 7, 4), 0, 0, 0, 0, 392, 0),
        ("flat", "flatten", (196,), 0, 0, 0, 0, 392, 0),
        ("fc", "linear", (5,), 980, 0, 0, 10, 0, 1960),
    ]
    assert table["fc"].inputs == ((196,),)
    assert table["fc"].input_values == 392


def test_reading_a_model_leaves_it_as_it_was():
    model = chain((8, 8, 3), L.Conv2D(4, 3), L.Dropout(0.5), L.UpSampling2D(2))
    weights = [w.copy() for w in model.get_weights()]
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    next_name = L.Conv2D(1, 1).name
    cnnmem.summary(model, (16, 16, 3), batch=4)
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))
    number = int(next_name.rpartition("_")[2])
    assert L.Conv2D(1, 1).name == f"conv2d_{number + 1}"


def test_no_layer_is_called():
    class Loud(L.Conv2D):
        def __call__(self, *args, **kwargs):
            if armed:
                raise AssertionError("the layer was called")
            return super().__call__(*args, **kwargs)

    armed = False
    model = chain((8, 8, 3), Loud(4, 3, name="loud"))
    armed = True
    assert cnnmem.summary(model)["loud"].macs == 6 * 6 * 27 * 4


# MACs of every kind of layer, against PyTorch's counter

COUNTED = {
    "conv groups": ((8, 9, 6), L.Conv2D(4, 3, groups=2, padding="same")),
    "conv dilation": ((12, 9, 6), L.Conv2D(4, (3, 2), dilation_rate=2)),
    "conv stride": ((12, 9, 6), L.Conv2D(4, 3, strides=2, padding="same")),
    "conv 1d": ((20, 3), L.Conv1D(4, 3, strides=2)),
    "conv 1d causal": ((20, 3), L.Conv1D(4, 3, padding="causal")),
    "conv 3d": ((5, 6, 7, 2), L.Conv3D(4, (1, 2, 3))),
    "depthwise": ((8, 9, 6), L.DepthwiseConv2D(3, strides=2, depth_multiplier=2)),
    "depthwise 1d": ((20, 6), L.DepthwiseConv1D(3, depth_multiplier=3)),
    "separable": ((8, 9, 6), L.SeparableConv2D(5, 3, strides=2, depth_multiplier=2)),
    "separable 1d": ((20, 6), L.SeparableConv1D(5, 3)),
    "transposed": ((8, 9, 6), L.Conv2DTranspose(5, 3, strides=2, padding="same")),
    "transposed valid": ((8, 9, 6), L.Conv2DTranspose(5, 4, strides=3)),
    "transposed 1d": ((8, 6), L.Conv1DTranspose(5, 3, strides=2)),
    "transposed 3d": ((3, 4, 5, 2), L.Conv3DTranspose(3, 3, strides=2)),
    "dense": ((7,), L.Dense(5)),
    "dense on a map": ((4, 5, 7), L.Dense(5)),
    "upsampling": ((4, 5, 7), L.UpSampling2D(2, interpolation="bilinear")),
    "global pool": ((4, 5, 7), L.GlobalMaxPooling2D()),
}


@pytest.mark.parametrize("kind", COUNTED)
def test_macs_of_each_kind_of_layer(kind):
    shape, layer = COUNTED[kind]
    model = chain(shape, layer)
    table = cnnmem.summary(model, batch=3)
    assert table.uncounted == ()
    assert table.macs == flop_counter_macs(model, [(3, *shape)])
    assert table.params == model.count_params()
    assert table.rows[-1].output == model.output_shape[1:]
    assert table.rows[-1].values == 3 * math.prod(model.output_shape[1:])


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("relu", L.ReLU()),
        ("relu", L.Activation("relu")),
        ("relu6", L.ReLU(6.0)),
        ("relu6", L.Activation("relu6")),
        ("leaky_relu", L.ReLU(negative_slope=0.1)),
        ("clipped_relu", L.ReLU(4.0)),
        ("prelu", L.PReLU()),
        ("softmax", L.Softmax()),
        ("hardswish", L.Activation("hard_silu")),
        ("silu", L.Activation("swish")),
        ("identity", L.Activation("linear")),
        ("flatten", L.Reshape((16, 3))),
        ("max_pool", L.MaxPooling2D()),
        ("avg_pool", L.AveragePooling2D(2)),
        ("adaptive_avg_pool", L.AdaptiveAveragePooling2D(2)),
        ("global_avg_pool", L.GlobalAveragePooling2D()),
        ("zero_pad", L.ZeroPadding2D()),
        ("dropout", L.SpatialDropout2D(0.1)),
        ("rescaling", L.Rescaling(1 / 255)),
        ("up_sampling2d", None),
    ],
)
def test_kind_of_each_layer(kind, layer):
    if layer is None:  # an unlisted class goes by its own name

        class UpSampling2D(L.Layer):
            def call(self, x):
                return keras.ops.repeat(x, 2, axis=1)

        layer = UpSampling2D()
    model = chain((4, 4, 3), layer)
    table = cnnmem.summary(model)
    assert table.rows[1].kind == kind
    assert table.rows[1].output == model.output_shape[1:]


def test_layers_that_cannot_be_counted_are_listed():
    class Twice(L.Conv2D):
        def call(self, x):
            return 2 * super().call(x)

    class Same(L.Conv2D):
        pass

    inputs = keras.Input((8, 8, 4), name="image")
    x = Twice(4, 3, padding="same", name="twice")(inputs)
    x = Same(4, 3, padding="same", name="same")(x)
    x = L.Lambda(lambda t: t + 1, name="code")(x)
    x = L.Conv2D(4, 1, activation=lambda t: t * t, name="own_activation")(x)
    x = L.Reshape((64, 4))(x)
    x = L.MultiHeadAttention(2, 2, name="attention")(x, x)
    x = L.EinsumDense("abc,cd->abd", (64, 5), name="einsum")(x)
    x = L.LSTM(3, return_sequences=True, name="lstm")(x)
    x = keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1)))
    model = keras.Model(inputs, x)
    table = cnnmem.summary(model)
    *layers, operation = table.uncounted
    assert layers == ["twice", "code", "own_activation", "einsum"]
    assert operation.startswith("matmul")
    assert table["same"].macs == 64 * 9 * 4 * 4
    assert all(table[name].macs == 0 for name in table.uncounted)
    assert table.params + table.statistics == model.count_params()
    # four projections of 4 to 4, and two heads of 64 x 64 products of length 2, twice
    assert table["attention"].macs == 4 * 64 * 4 * 4 + 2 * 2 * 64 * 64 * 2
    assert table["twice"].weights == 9 * 16


def test_lora_layers_are_not_counted():
    lora = chain((6,), L.Dense(4, name="lora", lora_rank=2))
    table = cnnmem.summary(lora)
    assert table.uncounted == ("lora",)
    assert table.params + table.statistics == lora.count_params()


# Graphs


def test_operations_that_are_not_layers_are_rows():
    inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(3, 3, padding="same", name="conv")(inputs)
    x = keras.ops.relu(x + inputs)
    x = keras.ops.reshape(x, (-1, 192))
    table = cnnmem.summary(keras.Model(inputs, x), batch=2)
    assert [(r.kind, r.functional, r.values, r.views) for r in table.rows[2:]] == [
        ("add", True, 384, 0),
        ("relu", True, 384, 0),
        ("flatten", True, 0, 384),
    ]
    assert table.rows[2].inputs == ((8, 8, 3), (8, 8, 3))
    assert table.uncounted == ()


def test_nested_models_are_expanded():
    block = chain((8, 8, 4), L.Conv2D(4, 3, padding="same", name="conv"), L.ReLU(name="act"))
    block.name = "block"
    inner = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 1, name="stem")(inner)
    backbone = keras.Model(inner, block(x) + x, name="backbone")
    inputs = keras.Input((8, 8, 3))
    outputs = L.GlobalAveragePooling2D(name="pool")(backbone(inputs))
    model = keras.Model(inputs, outputs)
    table = cnnmem.summary(model)
    assert names(table)[:4] == [
        "input",
        "backbone/stem",
        "backbone/block/conv",
        "backbone/block/act",
    ]
    assert table.rows[4].kind == "add"
    assert table.rows[4].name.startswith("backbone/add")
    assert names(table)[5:] == ["pool"]
    assert {row.block for row in table.rows[1:5]} == {"backbone"}
    assert table.params == model.count_params()
    assert table.macs == flop_counter_macs(model, [(1, 8, 8, 3)])


def test_shared_layers_store_once_and_work_twice():
    conv = L.Conv2D(3, 3, padding="same", name="conv")
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, conv(L.MaxPooling2D(2, name="pool")(conv(inputs))))
    table = cnnmem.summary(model)
    assert names(table) == ["input", "conv", "pool", "conv:2"]
    assert (table["conv"].params, table["conv:2"].params) == (84, 0)
    assert table["conv"].macs == 4 * table["conv:2"].macs == 64 * 81
    assert table.params == model.count_params()
    assert table.macs == flop_counter_macs(model, [(1, 8, 8, 3)])


def test_a_nested_model_used_twice_stores_once_and_works_twice():
    tower = chain((8, 8, 3), L.Conv2D(4, 3, name="conv"), name="tower")
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    model = keras.Model([left, right], L.Concatenate(name="cat")([tower(left), tower(right)]))
    table = cnnmem.summary(model)
    assert names(table) == ["left", "right", "tower/conv", "tower/conv:2", "cat"]
    assert [row.kind for row in table.rows[:2]] == ["input", "input"]
    assert table.params == model.count_params() == 112
    assert table.macs == 2 * table["tower/conv"].macs


@pytest.mark.parametrize("as_dict", [True, False])
def test_a_nested_model_takes_the_inputs_of_its_call_by_name(as_dict):
    a, b = keras.Input((8, 8, 1), name="a"), keras.Input((8, 8, 2), name="b")
    x = L.Concatenate(name="cat")([L.Conv2D(4, 1, name="ca")(a), L.Conv2D(5, 1, name="cb")(b)])
    inner = keras.Model({"b": b, "a": a} if as_dict else [b, a], x, name="inner")
    p, q = keras.Input((8, 8, 1), name="p"), keras.Input((8, 8, 2), name="q")
    table = cnnmem.summary(keras.Model([p, q], inner({"a": p, "b": q})))
    assert table["inner/ca"].inputs == ((8, 8, 1),)
    assert table["inner/cb"].inputs == ((8, 8, 2),)
    assert names(table)[:2] == ["p", "q"]


def test_a_part_of_a_model_has_its_own_inputs():
    model = chain((8, 8, 3), L.Conv2D(4, 3, name="one"), L.Conv2D(5, 3, name="two"))
    part = keras.Model(model.get_layer("one").output, model.outputs)
    table = cnnmem.summary(part)
    assert table["input"].output == (6, 6, 4)
    assert names(table)[1:] == ["two"]


def test_several_outputs_of_a_layer_add_up():
    inputs = keras.Input((8, 6))
    parts = keras.ops.split(inputs, 2, axis=2)
    table = cnnmem.summary(keras.Model(inputs, parts))
    assert table.rows[1].values == 48
    assert table.rows[1].output == (8, 3)


def test_parameters_that_the_graph_does_not_use_are_rows_too():
    model = keras.Model(*2 * [keras.Input((4,))])
    model.spare = L.Dense(3, name="spare")
    model.spare.build((None, 4))
    table = cnnmem.summary(model)
    assert table["spare (unused)"].params == 15
    assert table.params == stored(model) == 15
    assert table.values == 4


def test_frozen_weights_still_count_as_weights():
    model = chain((8, 8, 3), L.Conv2D(4, 3), L.BatchNormalization())
    before = cnnmem.summary(model)
    model.trainable = False
    frozen = cnnmem.summary(model)
    assert [row._replace(trainable=0) for row in before.rows] == list(frozen.rows)
    assert (before.params, before.statistics, before.trainable) == (120, 8, 120)
    assert (frozen.trainable, [node.frozen for node in frozen.graph.nodes]) == (0, [True, True])


def test_a_batch_norm_without_scale_or_center():
    table = cnnmem.summary(chain((8, 3), L.BatchNormalization(scale=False, name="n")))
    assert (table["n"].weights, table["n"].biases, table["n"].statistics) == (0, 3, 6)
    table = cnnmem.summary(chain((8, 3), L.BatchNormalization(center=False, name="n")))
    assert (table["n"].weights, table["n"].biases, table["n"].statistics) == (3, 0, 6)


def test_data_statistics_are_not_learned_parameters():
    model = chain((8, 8, 3), L.Normalization(name="norm"))
    table = cnnmem.summary(model)
    assert (table.params, table.statistics) == (0, model.count_params())
    assert table.statistics == 7


def test_blocks_come_from_the_names():
    table = cnnmem.summary(
        chain(
            (8, 8, 3),
            L.Conv2D(4, 3, name="block1_conv1"),
            L.Conv2D(4, 3, name="block1_conv2"),
            L.Conv2D(4, 3, name="top"),
            L.Conv2D(4, 1, name="conv2d_77"),
        )
    )
    assert [r.block for r in table.rows] == ["input", "block1", "block1", "top", "conv2d_77"]


# Channels first


def test_channels_first_is_shown_as_height_width_channels():
    first, last = {"data_format": "channels_first"}, {"data_format": "channels_last"}

    def build(shape, axis, how):
        inputs = keras.Input(shape)
        x = L.ReLU(name="early")(inputs)
        x = L.Conv2D(5, 3, strides=2, name="conv", **how)(x)
        x = L.BatchNormalization(axis=axis, name="norm")(x)
        y = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="dw", **how)(x)
        y = L.SeparableConv2D(5, 3, padding="same", name="sep", **how)(y)
        x = L.Concatenate(axis=axis, name="cat")([x, y])
        x = L.Conv2DTranspose(4, 3, strides=2, name="up", **how)(x)
        x = L.MaxPooling2D(2, name="pool", **how)(x)
        x = L.Conv2D(8, 3, groups=2, name="grouped", **how)(x)
        x = L.GlobalAveragePooling2D(name="mean", keepdims=True, **how)(x)
        return keras.Model(inputs, L.Flatten(name="flat")(x), name="model")

    a, b = build((3, 17, 21), 1, first), build((17, 21, 3), 3, last)
    table = cnnmem.summary(a, batch=2)
    assert table.image == (17, 21, 3)
    assert table == cnnmem.summary(b, batch=2)
    assert table["conv"].inputs == ((17, 21, 3),)
    assert table.macs == flop_counter_macs(a, [(2, 3, 17, 21)])
    assert cnnmem.summary(a, (3, 33, 33)).image == (33, 33, 3)


def test_a_permute_ends_channels_first():
    model = chain(
        (3, 8, 9),
        L.Conv2D(5, 3, data_format="channels_first", name="conv"),
        L.Permute((2, 3, 1), name="turn"),
        L.Conv2D(4, 1, name="next"),
    )
    table = cnnmem.summary(model)
    shapes = [row.output for row in table.rows]
    assert shapes == [(8, 9, 3), (6, 7, 5), (6, 7, 5), (6, 7, 4)]
    assert table["next"].macs == 6 * 7 * 20


# Input shapes


def test_an_open_size_is_requested_by_input_name():
    inputs = keras.Input((None, None, 3), name="image")
    model = keras.Model(inputs, L.Conv2D(4, 3, name="conv")(inputs))
    with pytest.raises(ShapeError) as raised:
        cnnmem.summary(model)
    assert str(raised.value) == (
        "input 'image' has shape (None, None, 3): give input_shape=(224, 224, 3)"
    )
    assert cnnmem.summary(model, (20, 30, 3))["conv"].output == (18, 28, 4)


def test_another_size_gives_the_table_of_the_model_built_for_it():
    def build(size):
        return models.without_weights(
            keras.applications.MobileNetV2,
            weights=None,
            input_shape=(size, size, 3),
            name="mobilenet",
        )

    assert cnnmem.summary(build(224), (160, 160, 3)) == cnnmem.summary(build(160))


def test_several_inputs_are_given_by_order_or_by_name():
    a, b = keras.Input((None, 3), name="a"), keras.Input((None, 4), name="b")
    x = L.Concatenate(axis=1)([L.Dense(2)(a), L.Dense(2)(b)])
    model = keras.Model([a, b], x)
    by_order = cnnmem.summary(model, [(5, 3), (6, 4)])
    assert by_order.rows[-1].output == (11, 2)
    assert cnnmem.summary(model, {"b": (6, 4), "a": (5, 3)}) == by_order
    with pytest.raises(ShapeError, match=r"input 'b' has shape .*: give input_shape=\{'b': \(224"):
        cnnmem.summary(model, {"a": (5, 3)})
    with pytest.raises(ShapeError, match=r"no input 'c'; it has a, b"):
        cnnmem.summary(model, {"c": (5, 3)})
    with pytest.raises(ShapeError, match="a, b; give one shape for each"):
        cnnmem.summary(model, (5, 3))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((8, 8), "'image' has shape .* gives it"),
        ((8, 0, 3), "'image' has shape .* gives it"),
        (224, "input_shape is 224, .* image; give one shape"),
        ((8, 8, 4), "layer 'conv' cannot work on .*expected axis -1"),
        ((2, 8, 3), "layer 'conv' cannot work on .*larger input"),
    ],
)
def test_an_impossible_shape_is_refused(shape, words):
    inputs = keras.Input((8, 8, 3), name="image")
    model = keras.Model(inputs, L.Conv2D(4, 3, name="conv")(inputs))
    with pytest.raises(ShapeError, match=words):
        cnnmem.summary(model, shape)


def test_a_classifier_refuses_the_size_it_was_not_built_for():
    model = chain((8, 8, 3), L.Flatten(), L.Dense(10, name="fc"))
    with pytest.raises(ShapeError, match=r"layer 'fc' cannot work on \(1, 108\)"):
        cnnmem.summary(model, (6, 6, 3))


def test_a_pool_that_leaves_nothing_is_refused():
    model = chain((8, 8, 3), L.MaxPooling2D(4, name="pool"))
    with pytest.raises(ShapeError, match="layer 'pool'"):
        cnnmem.summary(model, (3, 3, 3))


def test_a_fixed_batch_must_be_given():
    inputs = keras.Input(batch_shape=(4, 8), name="x")
    model = keras.Model(inputs, L.Dense(2)(inputs))
    with pytest.raises(ShapeError, match="input 'x' has the fixed batch 4: give batch=4"):
        cnnmem.summary(model)
    assert cnnmem.summary(model, batch=4).macs == 64


def test_batch_mode_and_dtype_are_checked():
    model = chain((8,), L.Dense(2))
    for batch in (0, 1.0, True):
        with pytest.raises(ShapeError, match=f"batch is {batch}"):
            cnnmem.summary(model, batch=batch)
    with pytest.raises(CnnmemError, match="mode is 'training'"):
        cnnmem.summary(model, mode="training")
    with pytest.raises(UnknownNameError, match="float31"):
        cnnmem.summary(model, dtype="float31")


# Models without a graph


def test_a_sequential_model_without_an_input_needs_an_input_shape():
    layers = [L.Conv2D(4, 3, name="conv"), L.Flatten(name="flat"), L.Dense(2, name="fc")]
    model = keras.Sequential(layers, name="open")
    with pytest.raises(ShapeError, match="model 'open' does not know its input yet: give input_sh"):
        cnnmem.summary(model)
    table = cnnmem.summary(model, (8, 8, 3))
    assert names(table) == ["input", "conv", "flat", "fc"]
    assert table.params == 112 + 290
    assert not model.built
    assert not any(layer.built for layer in layers)
    with pytest.raises(ShapeError, match="give \\(height, width, channels\\)"):
        cnnmem.summary(model, [(8, 8, 3)])


def test_a_subclassed_model_is_refused():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = L.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    for _ in range(2):
        with pytest.raises(CnnmemError, match=r"model 'own' .* is a subclass with its own call"):
            cnnmem.summary(model)
        model(keras.ops.zeros((1, 4)))  # built or not, there is no graph


def test_a_functional_subclass_is_read_unless_it_overrides_call():
    class Trained(keras.Model):
        def train_step(self, data):
            raise NotImplementedError

    class Own(keras.Model):
        def call(self, x):
            return super().call(x)

    inputs = keras.Input((4,))
    outputs = L.Dense(2)(inputs)
    assert cnnmem.summary(Trained(inputs, outputs)).params == 10
    with pytest.raises(CnnmemError, match="is a subclass with its own call"):
        cnnmem.summary(Own(inputs, outputs))


# without_weights


def test_without_weights_allocates_none_and_neither_does_a_later_scope():
    def function():
        return chain((8,), L.Dense(4), L.BatchNormalization())

    model = models.without_weights(function)
    with keras.StatelessScope():
        L.Dense(3).build((None, 2))
    assert model.count_params() == 52
    assert all(v._value is None for v in model.weights)


def test_without_weights_leaves_other_variables_alone():
    with keras.StatelessScope(initialize_variables=False):
        other = L.Dense(3)
        other.build((None, 2))
        models.without_weights(lambda: chain((8,), L.Dense(4)))
    with keras.StatelessScope():
        pass
    assert all(v._value is not None for v in other.weights)


def test_without_weights_names_layers_from_zero_without_disturbing_others():
    next_name = L.Dense(2).name
    for _ in range(2):
        assert models.without_weights(lambda: chain((8,), L.Dense(2))).layers[0].name == "dense"
    number = int(next_name.rpartition("_")[2] if "_" in next_name else 0)
    assert L.Dense(2).name == f"dense_{number + 1}"


def test_without_weights_restores_keras_after_an_error():
    def broken():
        L.Dense(2).build((None, 3))
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        models.without_weights(broken)
    layer = L.Dense(2)
    layer.build((None, 3))
    assert all(v._value is not None for v in layer.weights)


def test_without_weights_refuses_trained_weights_and_non_models():
    with pytest.raises(CnnmemError, match=r"VGG16 would load weights \('imagenet'\).*weights=None"):
        models.without_weights(keras.applications.VGG16)
    with pytest.raises(CnnmemError, match="returned a Dense; give a function that returns"):
        models.without_weights(L.Dense, 3)


def test_the_torch_backend_gives_the_same_table():
    inputs = keras.Input((17, 17, 3))
    x = L.Conv2D(8, 3, strides=2, name="conv")(inputs)
    x = L.Add(name="add")([x, L.SeparableConv2D(8, 3, padding="same", name="sep")(x)])
    x = L.GlobalAveragePooling2D(name="pool")(L.UpSampling2D(2, name="up")(x))
    model = keras.Model(inputs, L.Dense(3, name="fc")(x))
    shapes = [(4, 19, 23, 3)]
    table = cnnmem.summary(model, (19, 23, 3), batch=4)
    assert torch_backend_table(model, shapes) == rows_of(table)
