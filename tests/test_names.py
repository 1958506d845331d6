"""Names, valid and not."""

import itertools

import pytest

from hear_fusion.backbones import REGISTRY
from hear_fusion.names import Choice, is_choice_like, parse


@pytest.mark.parametrize("backbone", REGISTRY)
def test_every_pair_and_every_single_layer_reads_back(backbone: str) -> None:
    network = REGISTRY[backbone]
    numbers = network.layer_numbers()
    subsets = [
        (),
        numbers,
        *itertools.combinations(numbers, 1),
        *itertools.combinations(numbers, 2),
    ]
    for layers, hop in itertools.product(subsets, (None, *network.timeline.hops_ms)):
        choice = Choice(backbone, layers, hop)
        assert parse(str(choice)) == choice
        assert is_choice_like(str(choice))
    assert len(subsets) > len(numbers)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cnn14_9", "layers of cnn14 must be among 1 2 3 4 5 6, got 9"),
        ("cnn14_0", "layers of cnn14 must be among 1 2 3 4 5 6, got 0"),
        ("cnn14_6_3", "must ascend without repeats, got 6 3; write cnn14_3_6"),
        ("cnn14_3_3", "write cnn14_3$"),
        ("resnet_1", r"must begin with a network \(cnn14, yamnet.*\), got 'resnet_1'"),
        ("cnn14_3_7ms", "hop of cnn14 must be one of 320 160 80 40 20 ms, got 7"),
        ("Cnn14_3_6", r"must begin with a network \(cnn14, yamnet.*\), got 'Cnn14_3_6'"),
        ("cnn14_03", "without leading zeros, cnn14_3, got 'cnn14_03'"),
        ("cnn14_x", "in digits, got 'cnn14_x'"),
        ("yamnet_15", "layers of yamnet must be among 1 2 .* 14, got 15"),
    ],
)
def test_a_wrong_name_says_what_is_valid(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(name)


@pytest.mark.parametrize("name", ["model", "cnn14x", "hear", "_3", "__path__", "timeline_"])
def test_other_names_are_left_alone(name: str) -> None:
    assert not is_choice_like(name)
