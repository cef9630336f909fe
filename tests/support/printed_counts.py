"""What counting tools printed for torchvision's networks."""

from cnnmem.model import zoo

# Recorded for one image of 224 x 224, in evaluation mode:
# ptflops 0.7.5, torchinfo 1.8.0, torchprofile 0.1.0, fvcore 0.1.5, thop 0.1.1, torchstat 0.0.7,
# torch 2.13.
PRINTED = {
    "resnet18": {
        "ptflops, aten": 1_814_074_344,
        "torchinfo": 1_814_083_944,
        "torchprofile": 1_816_557_568,
        "fvcore": 1_819_065_856,
        "thop": 1_824_033_792,
        "ptflops, pytorch": 1_825_313_768,
        "torchstat": 1_821_399_040,
        "FlopCounterMode": 3_628_146_688,
    },
    "resnet50": {
        "ptflops, aten": 4_089_185_256,
        "torchinfo": 4_089_238_376,
        "torchprofile": 4_100_300_288,
        "fvcore": 4_111_512_576,
        "thop": 4_133_742_592,
        "ptflops, pytorch": 4_132_436_968,
        "torchstat": 4_118_537_216,
        "FlopCounterMode": 8_178_368_512,
    },
    "vgg16": {
        "ptflops, aten": 15_483_821_032,
        "torchinfo": 15_483_821_032,
        "torchprofile": 15_470_289_408,
        "fvcore": 15_470_289_408,
        "thop": 15_470_314_496,
        "ptflops, pytorch": 15_523_225_576,
        "torchstat": 15_503_489_024,
        "FlopCounterMode": 30_940_528_640,
    },
    "mobilenet_v2": {
        "ptflops, aten": 300_775_272,
        "torchinfo": 300_809_384,
        "torchprofile": 307_453_664,
        "fvcore": 314_193_216,
        "thop": 327_486_720,
        "ptflops, pytorch": 320_300_008,
        "torchstat": 320_236_288,
        "FlopCounterMode": 601_548_544,
    },
    "densenet121": {
        "ptflops, aten": 2_834_162_664,
        "torchinfo": 2_834_246_312,
        "torchprofile": 2_850_005_760,
        "fvcore": 2_865_546_752,
        "thop": 2_897_007_104,
        "ptflops, pytorch": 2_899_843_048,
        "torchstat": 2_882_619_136,
        "FlopCounterMode": 5_668_323_328,
    },
    "alexnet": {
        "ptflops, aten": 714_682_664,
        "torchinfo": 714_682_664,
        "torchprofile": 714_197_696,
        "fvcore": 714_197_696,
        "thop": 714_206_912,
        "ptflops, pytorch": 716_441_128,
        "torchstat": 715_543_488,
        "FlopCounterMode": 1_428_376_960,
    },
}
CASES = [(name, tool) for name, counts in PRINTED.items() for tool in counts]


def network(name):
    options = {"variant": "torchvision"} if "torchvision" in zoo.variants(name) else {}
    return zoo.get(name, **options)
