"""Published numbers: each is what its convention gives, or stays unexplained."""

from fractions import Fraction

import pytest

from cnnmem import CnnmemError, ShapeError, UnknownNameError, published
from cnnmem.published.numbers import Published
from cnnmem.units import MACS, MB, PARAMETERS

ENTRIES = published.catalogue().values()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_explained_number_is_reproduced_to_its_printed_digits(entry):
    assert entry.source
    assert entry.what
    reached = entry.reproduced()
    if entry.convention:
        assert entry.verdict == "explained"
        assert abs(reached.value - entry.value) <= entry.tolerance
        assert reached.unit == entry.unit
        # a tolerance covers the rounding in print: of whole units, or 2 % at most, for "~60 MB"
        assert entry.tolerance <= max(abs(entry.value) * Fraction(2, 100), Fraction(1, 2))
    else:
        assert entry.verdict == "unexplained"
        assert reached is None
        assert entry.note  # what was tried


def test_only_the_24m_family_and_old_files_are_unexplained():
    unexplained = [entry.id for entry in ENTRIES if entry.verdict == "unexplained"]
    assert unexplained[:3] == ["cs231n-24m", "cs231n-93", "cs231n-96"]
    # Keras' older weights files hold more than the values
    assert all(id.startswith("keras-") and id.endswith("-size") for id in unexplained[3:])


def test_the_catalogue_has_sixty_numbers_of_twelve_networks_at_least():
    assert len(ENTRIES) >= 60
    assert len({entry.network for entry in ENTRIES}) >= 12


def test_a_number_that_its_convention_does_not_give_is_refused():
    claim = {
        "id": "wrong",
        "printed": "139M",
        "value": Fraction(139_000_000),
        "unit": PARAMETERS,
        "what": "parameters",
        "source": "nowhere",
        "network": "vgg16",
    }
    Published(**claim)
    with pytest.raises(CnnmemError, match=r"wrong: parameters gives 138,357,544 parameters, not"):
        Published(**claim, convention="parameters")


def test_the_catalogue_is_read_only_and_unknown_ids_are_refused():
    with pytest.raises(TypeError):
        published.catalogue()["x"] = None
    with pytest.raises(UnknownNameError, match="no published number is called 'x'; there are"):
        published.get("x")


def test_a_number_has_a_label_and_a_measure():
    entry = published.get("cs231n-93")
    assert (entry.label, entry.measures, entry.unit) == ("published: 93 MB", "memory", MB)
    assert published.get("resnet18-thop").measures == "operations"
    assert published.get("resnet18-thop").unit == MACS


def test_the_blogs_script_goes_negative_on_a_small_image():
    _, sides = published.script_macs(32, True)
    assert min(sides) < 0
    for size in (0, 1.5, "160"):
        with pytest.raises(ShapeError, match="size is"):
            published.script_macs(size, True)
