"""The numbers of FACTS.md, by their ids: the golden tables of the kit."""

from fractions import Fraction

import pytest

from cnnmem import Network, Node, published, summary
from cnnmem.count import training
from cnnmem.int32 import INT32_MAX, wrap_int32
from cnnmem.model import zoo
from cnnmem.model.layers import Softmax

MiB = 2**20
MB = 10**6


def table(network, size=None, batch=1, **options):
    net = zoo.get(network, **options)
    return summary(net, size and (size, size, 3), batch)


VGG16 = table("vgg16")


def sums(rows, field):
    return sum(getattr(row, field) for row in rows)


# --- A: VGG-16, 224x224x3, batch 1, float32

TOTALS_OF_VGG16 = [
    # id, variant, convention, value in the convention's unit
    ("A1", "paper", "weights", 138_344_128),
    ("A2", "paper", "parameters", 138_357_544),
    ("A3", "paper", "parameters-mb", Fraction(553_430_176, MB)),
    ("A3", "paper", "parameters-mib", Fraction(553_430_176, MiB)),
    ("A3", "paper", "parameters-rounded-mb", 552),
    ("A4", "paper", "values", 15_237_608),
    ("A4", "paper", "tensors", Fraction(15_237_608 * 4, MB)),
    ("A4", "paper", "tensors-mib", Fraction(15_237_608 * 4, MiB)),
    ("A8", "paper", "autograd", Fraction(73_254_912, MB)),
    ("A8b", "paper", "inference-peak", Fraction(25_690_112, MB)),
    ("A9", "keras", "keras-outputs", Fraction(15_262_696 * 4, MiB)),
    ("A10", "paper", "torchinfo-memory", Fraction(2 * 13_556_712 * 4, MB)),
    ("A13", "paper", "caffe-to-relu7", Fraction(28_645_888 * 4, MB)),
    ("A14", "paper", "macs", 15_470_264_320),
    ("A14", "paper", "flops", 30_940_528_640),
]


@pytest.mark.parametrize(("fact", "variant", "convention", "value"), TOTALS_OF_VGG16)
def test_totals_of_vgg16_match_facts_a(fact, variant, convention, value):
    assert table("vgg16", variant=variant).total(convention).value == value


PRINTED_OF_VGG16 = [
    ("A3", "paper", "parameters-mb", "553.43"),
    ("A3", "paper", "parameters-mib", "527.79"),
    ("A4", "paper", "tensors-mib", "58.13"),
    ("A4", "paper", "tensors", "60.95"),
    ("A9", "keras", "keras-outputs", "58.2226"),
    ("A10", "torchvision", "torchinfo-memory", "108.45"),
    ("A11", "torchvision", "torchsummary", "218.78"),
    ("A12", "torchvision", "torchstat", "109.39"),
    ("A13", "paper", "caffe-to-relu7", "114.58"),
]


@pytest.mark.parametrize(("fact", "variant", "convention", "printed"), PRINTED_OF_VGG16)
def test_totals_of_vgg16_print_as_published(fact, variant, convention, printed):
    decimals = len(printed.partition(".")[2])
    value = table("vgg16", variant=variant).total(convention).value
    assert f"{float(value):.{decimals}f}" == printed


def test_a2_parameters_of_vgg16_by_block():
    blocks = {}
    for row in VGG16.rows:
        blocks[row.block] = blocks.get(row.block, 0) + row.params
    convolutions = [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424]
    assert [blocks[f"block{i}"] for i in range(1, 6)] == convolutions
    assert [VGG16[f"fc{i}"].params for i in (1, 2, 3)] == [102_764_544, 16_781_312, 4_097_000]
    assert sums(VGG16.rows, "biases") == 13_416


def test_a4_feature_maps_of_vgg16_by_kind():
    parts = {}
    for row in VGG16.rows:
        parts[row.kind] = parts.get(row.kind, 0) + row.values
    assert parts == {
        "input": 150_528,
        "conv": 13_547_520,
        "relu": 0,
        "max_pool": 1_530_368,
        "linear": 9_192,
        "dropout": 0,
    }


def test_a5_rounding_each_row_gives_the_printed_column():
    total = VGG16.total("cs231n-values").value
    assert round(total / 1000) == 15_184
    assert round(VGG16.total("cs231n").value) == 61  # printed as "~60 MB"


@pytest.mark.parametrize("id", ["cs231n-24m", "cs231n-93", "cs231n-96"])
def test_a7_the_folklore_of_24m_stays_unexplained(id):
    assert published.get(id).verdict == "unexplained"
    assert published.get(id).reproduced() is None


def test_a7_near_hits_come_near_but_miss():
    vgg13 = [r for r in table("vgg13").rows if r.kind in ("conv", "relu") and r.block[:2] != "fc"]
    assert sums(vgg13, "values") + sums(vgg13, "overwrites") == 24_485_888
    pools = [row for row in VGG16.rows if row.kind == "max_pool"]
    linear = [row for row in VGG16.rows if row.kind == "linear"]
    # a pool's input counted again, and its int64 indices, each as large as two float32 values
    again = sums(pools, "input_values") + 2 * sums(pools, "indices")
    assert VGG16.values - sums(linear, "values") + again == 24_410_624


def test_a8_torchvisions_vgg16_keeps_for_backward_at_batch_2():
    assert table("vgg16", batch=2, variant="torchvision").saved_bytes == 146_710_528


def test_a8_backward_adds_gradients_but_hardly_any_activations():
    step = training.training_step(table("vgg16", batch=8, variant="torchvision"))
    assert round(step.after_forward.activations / MB, 1) == 586.9
    assert round(max(m.activations for m in step.moments) / MB, 1) == 589.3
    assert step.moments[-1].gradients == 553_430_176


def test_a8b_inference_peaks_between_the_two_maps_of_conv1_2():
    peak = training.inference(VGG16).peak
    assert (peak.layer, peak.activations) == ("conv1_2", 25_690_112)


def test_a15_fc1_has_most_parameters_and_few_macs():
    fc1 = VGG16["fc1"]
    assert round(100 * fc1.params / VGG16.params, 1) == 74.3
    assert round(100 * fc1.macs / VGG16.macs, 1) == 0.7


def test_a13_caffe_counts_all_tops_of_its_vgg16_which_ends_in_a_softmax():
    vgg16 = zoo.get("vgg16")
    caffes = Network("vgg16", (*vgg16.nodes, Node("prob", Softmax(), ("fc3",))))
    assert summary(caffes).total("caffe").base == 28_651_984 * 4


# --- A16 and C: the parameter count in 32 bits


@pytest.mark.parametrize(
    ("fact", "size", "fc1", "total"),
    [
        ("C2", 1024, -2_147_479_552, -2_111_886_552),
        ("A16", 1472, wrap_int32(46 * 46 * 512 * 4096 + 4096), 178_203_432),
        ("C3", 1023, 31 * 31 * 512 * 4096 + 4096, 2_050_960_168),  # the last that fits
    ],
)
def test_int32_wraps_as_old_keras_printed(fact, size, fc1, total):
    vgg16 = table("vgg16", size, variant="keras")
    assert wrap_int32(vgg16["fc1"].params) == fc1
    assert vgg16.total("keras-parameters-int32").value == total


def test_c3_1024_is_the_tipping_point():
    for size, fits in ((992, True), (1023, True), (1024, False)):
        kernel = table("vgg16", size)["fc1"].weights
        assert (kernel <= INT32_MAX) is fits
    assert table("vgg16", 1023)["fc1"].weights == 2_015_363_072


# --- B: Keras' versions of two networks at 1024x1024x3

KERAS_AT_1024 = [
    # id, network, options, parameters with statistics, feature maps in MiB, as printed
    ("B1", "vgg16", {"variant": "keras", "top": False}, 14_714_688, "1214.0"),
    ("B2", "vgg16", {"variant": "keras"}, 2_183_080_744, "1216.0350646973"),
    ("B4", "densenet201", {"variant": "keras", "top": False}, 18_321_984, None),
    ("B5", "densenet201", {"variant": "keras2018"}, 20_242_984, "6151.65315246582"),
    ("B6", "densenet201", {"variant": "keras"}, 20_242_984, "6159.15315246582"),
]


@pytest.mark.parametrize(("fact", "network", "options", "params", "maps"), KERAS_AT_1024)
def test_keras_at_1024_matches_facts_b(fact, network, options, params, maps):
    at_1024 = table(network, 1024, **options)
    assert at_1024.total("keras-parameters").value == params
    if maps is not None:
        decimals = len(maps.partition(".")[2])
        assert f"{float(at_1024.total('keras-outputs').value):.{decimals}f}" == maps


SUMS_AT_1024 = [
    ("B2", "vgg16", "keras", "8327.79214477539", "9543.8272094727"),
    ("B4 B5", "densenet201", "keras2018", "77.2208557129", "6228.874008178711"),
]


@pytest.mark.parametrize(("fact", "network", "variant", "params", "total"), SUMS_AT_1024)
def test_keras_sums_at_1024_print_as_the_script_did(fact, network, variant, params, total):
    at_1024 = table(network, 1024, variant=variant)
    for convention, printed in (("keras-parameters-mib", params), ("keras-memory", total)):
        decimals = len(printed.partition(".")[2])
        assert f"{float(at_1024.total(convention).value):.{decimals}f}" == printed


def test_b3_fc1_at_1024_passes_2_to_the_31():
    fc1 = table("vgg16", 1024, variant="keras")["fc1"]
    assert (fc1.params, fc1.weights) == (2_147_487_744, 2**31)


def test_b4_keras_counts_the_moving_statistics_too():
    densenet = table("densenet201", 1024)
    assert (densenet.params, densenet.statistics) == (20_013_928, 229_056)


def test_b6_one_relu_of_7_5_mib_lies_between_2018_and_today():
    old, new = table("densenet201", 1024, variant="keras2018"), table("densenet201", 1024)
    added = [row for row in new.rows if row.name not in {r.name for r in old.rows}]
    assert [(row.kind, row.output) for row in added] == [("relu", (32, 32, 1920))]
    assert added[0].values * 4 == 7.5 * MiB


# --- D: MobileNet


def test_d1_d2_the_blogs_script_at_160():
    full, separable = published.script_macs(160, False)[0], published.script_macs(160, True)[0]
    assert (full, separable) == (1_045_417_824, 126_373_376)
    assert separable / full == 0.12088312739538674


@pytest.mark.parametrize(
    ("fact", "size", "full", "separable"),
    [("D3", 160, 2_482_790_400, 289_651_200), ("D4", 224, 4_866_269_184, 567_716_352)],
)
def test_convolutions_of_mobilenet_with_its_padding(fact, size, full, separable):
    for is_separable, macs in ((False, full), (True, separable)):
        net = table("mobilenet_v1", size, separable=is_separable)
        assert net.total("convolution-macs").value == macs


def test_d3_ratio():
    assert 289_651_200 / 2_482_790_400 == 0.11666357337292749


def test_d4_the_paper_counts_the_classifier_too():
    assert table("mobilenet_v1").macs == 568_740_352 == 567_716_352 + 1_024_000


def test_d5_parameters_of_mobilenet_v1():
    for variant in ("paper", "keras"):
        net = table("mobilenet_v1", variant=variant)
        assert (net.params, net.params + net.statistics) == (4_231_976, 4_253_864)
    assert round(table("mobilenet_v1", separable=False).params / MB, 1) == 29.3


def test_d6_separable_over_full_is_one_over_n_plus_one_over_k_squared():
    separable, full = table("mobilenet_v1"), table("mobilenet_v1", separable=False)
    for i in range(1, 14):
        both = separable[f"conv_dw_{i}"].macs + separable[f"conv_pw_{i}"].macs
        n = full[f"conv_{i}"].output[-1]
        assert Fraction(both, full[f"conv_{i}"].macs) == Fraction(1, n) + Fraction(1, 9)


def test_d7_mobilenet_v2():
    net = table("mobilenet_v2")
    assert (net.params, net.macs) == (3_504_872, 300_774_272)


KEPT_BY_MOBILENETS = [
    # network, options, bytes, or MB where FACTS.md rounds
    ("mobilenet_v1", {"separable": False}, 25_541_376),
    ("mobilenet_v1", {}, 41_035_264),
    ("mobilenet_v2", {"activation": "relu"}, 54.2),
    ("mobilenet_v1", {"activation": "relu6"}, 61.0),
    ("mobilenet_v2", {}, 78.3),
]


@pytest.mark.parametrize(("network", "options", "kept"), KEPT_BY_MOBILENETS)
def test_d8_macs_saved_are_not_memory_saved(network, options, kept):
    saved = table(network, **options).saved_bytes
    assert kept in (saved, round(saved / MB, 1))


def test_d9_mobilenet_v2_at_128():
    assert table("mobilenet_v2", 128).macs == 99_074_048


# --- E: training memory

KEPT_AT_BATCH_2 = [
    # network, bytes (E4), twice the outputs of all modules over these bytes (E5)
    ("vgg16", 146_710_528, 3.13),
    ("alexnet", 7_482_368, 2.35),
    ("resnet18", 44_398_080, 2.69),
    ("mobilenet_v2", 156_555_520, 1.99),
    ("densenet121", 261_057_280, 2.36),
]


@pytest.mark.parametrize(("network", "kept", "times"), KEPT_AT_BATCH_2)
def test_e4_e5_kept_for_backward_at_batch_2(network, kept, times):
    net = table(network, batch=2, variant="torchvision")
    assert net.saved_bytes == kept
    assert round(float(net.total("torchsummary").base / kept), 2) == times


# --- F: operations of one network, counted by nine tools

OPERATIONS = [
    # convention, ResNet-18, VGG-16, MobileNetV2
    ("macs", 1_814_073_344, 15_470_264_320, 300_774_272),
    ("torchinfo-macs", 1_814_083_944, 15_483_821_032, 300_809_384),
    ("thop", 1_824_033_792, 15_470_314_496, 327_486_720),
    ("ptflops-pytorch", 1_825_313_768, 15_523_225_576, 320_300_008),
    ("fvcore", 1_819_065_856, 15_470_289_408, 314_193_216),
    ("torchprofile", 1_816_557_568, 15_470_289_408, 307_453_664),
    ("ptflops-aten", 1_814_074_344, None, None),
    ("flops", 3_628_146_688, 30_940_528_640, None),
]


@pytest.mark.parametrize(("convention", "resnet18", "vgg16", "mobilenet_v2"), OPERATIONS)
def test_f_operations_as_nine_tools_count_them(convention, resnet18, vgg16, mobilenet_v2):
    expected = {"resnet18": resnet18, "vgg16": vgg16, "mobilenet_v2": mobilenet_v2}
    for network, value in expected.items():
        if value is not None:
            net = table(network, variant="torchvision")
            assert net.total(convention).value == value, network


def test_f_alexnet_and_resnet18():
    alexnet = table("alexnet")
    assert (alexnet.params, alexnet.macs) == (61_100_840, 714_188_480)
    assert alexnet.total("thop").value == 714_206_912
    assert table("resnet18").params == 11_689_512
