"""Numbers in the tables of papers and of the files that introduce a repository.

A source has columns, and rows of `LABEL SIZE VALUE...` ("-": nothing printed, or the same as above;
"+auxiliary": with auxiliary classifiers). All values of a column are read by the column's
convention. A value stands as printed, with a mark where rounding does not give it: "300_" leaves
digits out (300.77), and "317?" is not what the convention gives, so it stays unexplained.

Papers and files were read as stored copies, on the date that the source names.
"""

from __future__ import annotations

from typing import NamedTuple

from cnnmem.units import FLOPS, MACS, MB, PARAMETERS, MiB, Unit


class Column(NamedTuple):
    """What a column of a source counts: how its values are written, and the convention.

    A printed value times `scale` is in base units; `written` follows it ("M parameters").
    """

    id: str
    what: str
    written: str
    scale: int
    unit: Unit
    convention: str


class Source(NamedTuple):
    """A source: its id, what to cite, its columns and rows, and why values stay unexplained."""

    id: str
    cite: str
    columns: tuple[Column, ...]
    rows: str
    note: str = ""


M, G, MEBI = 10**6, 10**9, 2**20
READ = "read as a copy on 2026-11-27"
MULT_ADDS = Column("macs", "multiply-adds", " M", M, MACS, "macs")
BILLIONS = Column("macs", "multiply-adds, called FLOPs", " B", G, MACS, "macs")
LEARNED = Column("parameters", "parameters", " M", M, PARAMETERS, "parameters")
WITHOUT_NORM = LEARNED._replace(convention="parameters-without-norm")

SOURCES = (
    Source(
        "alexnet",
        f"Krizhevsky, Sutskever and Hinton, NIPS 2012, abstract; {READ}",
        (LEARNED,),
        "alexnet/paper 227 60_",
    ),
    Source(
        "resnet",
        f"He et al., arXiv 1512.03385, table 1; {READ}",
        (BILLIONS,),
        "resnet18 224 1.8\nresnet34 224 3.6_\nresnet50/paper 224 3.8_\nvgg19 224 19.6",
        "",
    ),
    Source(
        "resnet-on-vgg",
        f"He et al., arXiv 1512.03385, section 4.1 (whose 19.6 B for VGG-19 count its linear "
        f"layers); {READ}",
        (BILLIONS._replace(convention="convolution-macs"),),
        "vgg16 224 15.3",
    ),
    Source(
        "mobilenet-sizes",
        f"Howard et al., arXiv 1704.04861, tables 6 and 7; {READ}",
        (MULT_ADDS, WITHOUT_NORM),
        """
        mobilenet_v1/0.75 224 325 2.6
        mobilenet_v1/0.5  224 149 1.3
        mobilenet_v1/0.25 224  41 0.5
        mobilenet_v1      192 418 -
        mobilenet_v1      160 290_ -
        mobilenet_v1      128 186 -
        """,
    ),
    Source(
        "mobilenet-popular",
        f"Howard et al., arXiv 1704.04861, tables 8 and 9, on networks of others; {READ}",
        (MULT_ADDS, WITHOUT_NORM),
        """
        mobilenet_v1/0.5 160   76_ 1.32
        googlenet/paper  224 1550? 6.8?
        squeezenet1_0    224 1700? 1.25
        alexnet/paper    227  720? 60_
        """,
        "Another input size, another form of the network or twice the work may be behind it: "
        "1,700 M is about twice SqueezeNet's 819 M. The table does not say.",
    ),
    Source(
        "slim-mobilenet-v1",
        f"tensorflow/models, research/slim/nets/mobilenet_v1.md at 02c04f4; {READ}",
        (MULT_ADDS, LEARNED),
        """
        mobilenet_v1      224 569 4.24?
        mobilenet_v1      192 418 -
        mobilenet_v1      160 291 -
        mobilenet_v1      128 186 -
        mobilenet_v1/0.75 224 317? 2.59
        mobilenet_v1/0.75 192 233? -
        mobilenet_v1/0.75 160 162? -
        mobilenet_v1/0.75 128 104? -
        mobilenet_v1/0.5  224 150? 1.34?
        mobilenet_v1/0.5  192 110 -
        mobilenet_v1/0.5  160  77 -
        mobilenet_v1/0.5  128  49 -
        mobilenet_v1/0.25 224  41 0.47
        mobilenet_v1/0.25 192  34? -
        mobilenet_v1/0.25 160  21 -
        mobilenet_v1/0.25 128  14 -
        """,
        "At width 0.75 the same authors' paper has 325 M, which the network gives. All four "
        "numbers of parameters would print like this with three values per normalised channel, "
        "but two are learned and four stored. Coming close is not an explanation.",
    ),
    Source(
        "slim-mobilenet-v2",
        f"tensorflow/models, research/slim/nets/mobilenet/README.md at 0ba83cf; {READ}",
        (MULT_ADDS, WITHOUT_NORM),
        """
        mobilenet_v2/1.4  224 582 6.06
        mobilenet_v2/1.3  224 509 5.34
        mobilenet_v2      224 300_ 3.47
        mobilenet_v2      192 221 -
        mobilenet_v2      160 154 -
        mobilenet_v2      128  99 -
        mobilenet_v2       96  56 -
        mobilenet_v2/0.75 224 209 2.61
        mobilenet_v2/0.75 192 153_ -
        mobilenet_v2/0.75 160 107 -
        mobilenet_v2/0.75 128  69 -
        mobilenet_v2/0.75  96  39 -
        mobilenet_v2/0.5  224  97 1.95
        mobilenet_v2/0.5  192  71_ -
        mobilenet_v2/0.5  160  50 -
        mobilenet_v2/0.5  128  32_ -
        mobilenet_v2/0.5   96  18_ -
        mobilenet_v2/0.35 224  59 1.66
        mobilenet_v2/0.35 192  43_ -
        mobilenet_v2/0.35 160  30_ -
        mobilenet_v2/0.35 128  20 -
        mobilenet_v2/0.35  96  11_ -
        """,
    ),
    Source(
        "slim-mobilenet-v3",
        f"tensorflow/models, research/slim/nets/mobilenet/README.md at 0ba83cf; {READ}",
        (MULT_ADDS, LEARNED),
        "mobilenet_v3_large 224 217 5.4_\nmobilenet_v3_small 224 66? 2.9?",
        "torchvision's network of this name, which the zoo has, is smaller.",
    ),
    Source(
        "mobilenet-v2",
        f"Sandler et al., arXiv 1801.04381, table 4, quoted by others; {READ}",
        (MULT_ADDS, WITHOUT_NORM),
        "mobilenet_v2 224 300_ 3.4_\nmobilenet_v2/1.4 224 585? 6.9?",
        "The authors' repository has 582 M and 6.06 M for the same width, which the network gives.",
    ),
    Source(
        "mobilenet-v3",
        f"Howard et al., arXiv 1905.02244, table 3; {READ}",
        (MULT_ADDS, LEARNED),
        "mobilenet_v3_large 224 219? 5.4_",
        "The authors' repository has 217 M, which the network gives.",
    ),
    Source(
        "squeezenet",
        f"Iandola et al., arXiv 1602.07360, title (less than 0.5 MB); {READ}",
        (Column("size", "model size", " MB", MB.size, MB, "parameters-mb"),),
        "squeezenet1_0 224 0.5?",
        "The weights are pruned and compressed there, so no count of values gives it.",
    ),
    Source(
        "efficientnet",
        f"Tan and Le, arXiv 1905.11946, table 2; {READ}",
        (BILLIONS, LEARNED),
        """
        efficientnet_b0 224 0.39 5.3
        resnet50        224 4.1  26
        densenet169/torchvision 224 3.5? 14
        inception_v3    299 5.7  24
        """,
        "thop's way of counting gives 3.4 B: closer, and still not it.",
    ),
    Source(
        "omz",
        "openvinotoolkit/open_model_zoo, models/public/index.md at 00a4ff8; " + READ,
        (Column("flops", "operations", " GFlops", G, FLOPS, "flops"), LEARNED),
        """
        alexnet/paper   227 1.5   60.965
        googlenet/paper 224 3.266? 6.999
        squeezenet1_0   227 1.737? 1.248
        mobilenet_v1    224 1.148? 4.221?
        """,
        "Twice the multiply-accumulates are less: pooling and activations seem to be in. 4.221 M "
        "are what is left of MobileNet when each batch normalisation is folded into a bias.",
    ),
    Source(
        "convnet-burden",
        "albanie/convnet-burden, README.md at 1fe5ef5; " + READ,
        (
            Column(
                "size", "memory of the parameters", " MB", MiB.size, MiB, "keras-parameters-mib"
            ),
            Column("features", "memory of the feature maps", " MB", MiB.size, MiB, "tensors-mib"),
        ),
        """
        alexnet/paper   227 233   3_
        squeezenet1_0   224 5    30
        squeezenet1_1   224 5    17
        vgg16           224 528  58
        vgg19           224 548  63
        googlenet/paper+auxiliary 224 51 26?
        resnet50/paper  224  98 103?
        """,
        "All new tensors together are less, with ReLU in place as the file says.",
    ),
    Source(
        "thop-readme",
        "Lyken17/pytorch-OpCounter, README.md at 00421a4, whose M are 2^20; " + READ,
        (Column("parameters", "parameters", " M (2^20)", MEBI, PARAMETERS, "parameters"),),
        """
        alexnet                 224  58.27
        densenet121/torchvision 224   7.61
        densenet169/torchvision 224  13.49
        densenet201/torchvision 224  19.09
        resnet18                224  11.15
        resnet34                224  20.79
        resnet50                224  24.37
        squeezenet1_0           224   1.19
        squeezenet1_1           224   1.18
        vgg11/torchvision       224 126.71
        vgg13/torchvision       224 126.88
        vgg16/torchvision       224 131.95
        vgg19/torchvision       224 137.01
        """,
    ),
    Source(
        "ptflops-readme",
        "sovrasov/flops-counter.pytorch, README.md at 015ad15; " + READ,
        (LEARNED, Column("macs", "multiply-adds", " GMac", G, MACS, "ptflops-pytorch")),
        """
        alexnet                 224  61.1  0.72
        vgg11/torchvision       224 132.86 7.63?
        vgg13/torchvision       224 133.05 11.34?
        vgg16/torchvision       224 138.36 15.5
        vgg19/torchvision       224 143.67 19.67?
        resnet18                224  11.69 1.82_
        resnet34                224  21.8  3.68
        resnet50                224  25.56 4.12?
        squeezenet1_0           224   1.25 0.83_
        squeezenet1_1           224   1.24 0.36
        densenet121/torchvision 224   7.98 2.88?
        densenet169/torchvision 224  14.15 3.42?
        densenet201/torchvision 224  20.01 4.37?
        """,
        "An older ptflops printed it; today's counts some layers otherwise, and more of them.",
    ),
)
