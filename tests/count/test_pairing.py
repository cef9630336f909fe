"""Rows of two tables pair by what they are and where they stand; only differences are steps."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import PROFILE, networks

from cnnmem import reconcile, summary
from cnnmem.count.conventions import PRESETS
from cnnmem.errors import NetworkError, ShapeError
from cnnmem.model.layers import Add, BatchNorm, Conv2d
from cnnmem.model.network import INPUT, Network, Node

CONVENTIONS = [convention.name for convention in PRESETS if not convention.until]
# Where rows stand decides which tensor is kept first and what is alive at once.
OF_THE_ROWS = [name for name in CONVENTIONS if name not in ("autograd", "inference-peak")]
PLAIN = networks(in_place=st.just(False))


def steps(first, second, convention, other=None):
    found = reconcile(first.total(convention), second.total(other or convention))
    return [(step.stage, step.name, step.delta) for step in found.steps]


def rewritten(network, names=None, order=None, change=None):
    """Return a network with other names, in another order, with nodes changed."""
    names = {INPUT: INPUT, **(names or {node.name: node.name for node in network.nodes})}
    nodes = [
        replace(node, name=names[node.name], inputs=tuple(names[name] for name in node.inputs))
        for node in (order or network.nodes)
    ]
    return Network(network.name, tuple(nodes if change is None else change(nodes)), network.image)


def table_or_reject(network, batch):
    try:
        return summary(network, batch=batch)
    except (NetworkError, ShapeError):
        assume(False)


@PROFILE
@given(st.data())
def test_a_copy_with_other_names_needs_no_step(data):
    drawn = data.draw(networks())
    network = drawn.network
    numbers = data.draw(st.permutations(range(len(network.nodes))))
    names = {node.name: f"n{number}" for node, number in zip(network.nodes, numbers, strict=True)}
    table = table_or_reject(network, drawn.batch)
    copy = summary(rewritten(network, names), batch=drawn.batch)
    for convention in CONVENTIONS:
        assert steps(table, copy, convention) == []


@st.composite
def listed_otherwise(draw, network):
    """Draw another order in which the nodes can run, and swap the terms of additions."""
    waiting, order, known = list(network.nodes[:-1]), [], {INPUT}
    while waiting:
        ready = [node for node in waiting if known.issuperset(node.inputs)]
        node = draw(st.sampled_from(ready))
        waiting.remove(node)
        order.append(node)
        known.add(node.name)
    order.append(network.nodes[-1])
    return [
        replace(node, inputs=node.inputs[::-1]) if isinstance(node.layer, Add) else node
        for node in order
    ]


@PROFILE
@given(st.data())
def test_the_order_in_which_layers_are_listed_does_not_matter(data):
    drawn = data.draw(PLAIN)
    network = drawn.network
    order = data.draw(listed_otherwise(network))
    names = {node.name: f"layer {i}" for i, node in enumerate(order)}
    table = summary(network, batch=drawn.batch)
    copy = summary(rewritten(network, names, order), batch=drawn.batch)
    for convention in OF_THE_ROWS:
        assert steps(table, copy, convention) == []


@PROFILE
@given(st.data())
def test_a_bias_left_out_is_the_only_step(data):
    drawn = data.draw(PLAIN)
    biased = [n for n in drawn.network.nodes if getattr(n.layer, "bias", False)]
    assume(biased)
    changed = data.draw(st.sampled_from(biased))
    bare = replace(changed, layer=replace(changed.layer, bias=False))
    other = rewritten(
        drawn.network, change=lambda nodes: [bare if n is changed else n for n in nodes]
    )
    other = replace(other, nodes=[bare if n.name == bare.name else n for n in other.nodes])
    first, second = summary(drawn.network), summary(other)
    lost = first[changed.name].biases
    assert steps(first, second, "parameters") == [
        ("rows", f"{changed.name}: biases left out", -lost)
    ]
    assert steps(second, first, "parameters") == [("rows", f"{changed.name}: biases added", lost)]
    assert steps(first, second, "tensors") == []


@PROFILE
@given(st.data())
def test_another_kernel_is_the_only_step(data):
    drawn = data.draw(PLAIN)
    found = [
        n for n in drawn.network.nodes if isinstance(n.layer, Conv2d) and n.layer.padding == "same"
    ]
    assume(found)
    changed = data.draw(st.sampled_from(found))
    height, width = changed.layer.kernel
    larger = replace(changed, layer=replace(changed.layer, kernel=(height + 1, width + 2)))
    nodes = tuple(larger if n is changed else n for n in drawn.network.nodes)
    first, second = summary(drawn.network), summary(replace(drawn.network, nodes=nodes))
    for convention, quantity in (("parameters", "weights"), ("macs", "macs")):
        more = getattr(second[changed.name], quantity) - getattr(first[changed.name], quantity)
        name = f"{changed.name}: kernel {height + 1}x{width + 2} instead of {height}x{width}"
        assert steps(first, second, convention) == [("rows", name, more)]
    assert steps(first, second, "tensors") == []


@PROFILE
@given(st.data())
def test_a_layer_more_is_the_only_step(data):
    drawn = data.draw(PLAIN)
    nodes = list(drawn.network.nodes)
    at = data.draw(st.integers(0, len(nodes) - 1))
    before = nodes[at]
    new = Node("new", BatchNorm(), (before.name,))
    after = [
        replace(node, inputs=tuple("new" if i == before.name else i for i in node.inputs))
        for node in nodes[at + 1 :]
    ]
    larger = replace(drawn.network, nodes=(*nodes[: at + 1], new, *after))
    first, second = summary(drawn.network), summary(larger)
    row = second["new"]
    for convention, size in (
        ("parameters", row.params),
        ("values", row.values),
        ("keras-parameters", row.params + row.statistics),
    ):
        assert steps(first, second, convention) == [("rows", "new only in the second", size)]
        assert steps(second, first, convention) == [("rows", "new only in the first", -size)]
    assert steps(first, second, "macs") == []
    # under other names another row of the same kind may be called the new one, but nothing else
    renamed = rewritten(larger, {n.name: f"layer {i}" for i, n in enumerate(larger.nodes)})
    [(_, name, size)] = steps(first, summary(renamed), "parameters")
    assert name.endswith(" only in the second")
    assert size == row.params


@PROFILE
@given(PLAIN, st.integers(1, 4))
def test_another_batch_is_named_and_nothing_else(drawn, batch):
    first, second = summary(drawn.network, batch=drawn.batch), summary(drawn.network, batch=batch)
    assert steps(first, second, "parameters") == []
    for convention in ("tensors", "macs", "thop", "autograd"):
        found = steps(first, second, convention)
        said = f": batch {batch} instead of {drawn.batch}"
        assert all(stage == "rows" and name.endswith(said) for stage, name, _ in found)
        assert sum((size for *_, size in found), Fraction()) == (
            second.total(convention).value - first.total(convention).value
        )
