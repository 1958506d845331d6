"""Eq. (1), (2) and (3) by hand."""

import pytest
import torch

from hear_fusion.fusion.equations import fuse, pool_time_and_flatten, summarise

# (batch 1, channel 2, time 5, freq 2): the value tells channel, time and frequency.
MAP = torch.tensor(
    [[[[c * 100.0 + t * 10 + f for f in range(2)] for t in range(5)] for c in range(2)]]
)


def test_eq_1_pools_time_keeps_frequency_and_flattens_channels_slowly() -> None:
    expected = torch.tensor([[[10.0, 11, 110, 111], [30, 31, 130, 131]]])
    torch.testing.assert_close(pool_time_and_flatten(MAP, 2), expected, rtol=0, atol=0)


def test_eq_1_keeps_the_rest_on_request() -> None:
    expected = torch.tensor([[[10.0, 11, 110, 111], [30, 31, 130, 131], [40, 41, 140, 141]]])
    torch.testing.assert_close(
        pool_time_and_flatten(MAP, 2, keep_rest=True), expected, rtol=0, atol=0
    )


def test_eq_1_takes_the_maximum_not_the_last() -> None:
    falling = MAP.flip(2)
    torch.testing.assert_close(
        pool_time_and_flatten(falling, 5)[0, 0], torch.tensor([40.0, 41, 140, 141])
    )


def test_eq_2_concatenates_per_frame_in_the_order_given() -> None:
    middle, late = torch.full((1, 3, 2), 1.0), torch.full((1, 3, 1), 2.0)
    assert fuse([middle, late])[0].tolist() == [[1.0, 1.0, 2.0]] * 3


def test_eq_3_adds_mean_and_maximum_over_time() -> None:
    z = torch.tensor([[[1.0, -4.0], [2.0, 0.0], [6.0, -2.0]]])
    assert summarise(z).tolist() == [[9.0, -2.0]]


@pytest.mark.parametrize("stride", [0, 6])
def test_stride_out_of_range_is_an_error(stride: int) -> None:
    with pytest.raises(ValueError, match=rf"time_stride must be in \[1, 5\] columns, got {stride}"):
        pool_time_and_flatten(MAP, stride)


def test_wrong_rank_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(batch, channel, time, freq\), got \(2, 3\)"):
        pool_time_and_flatten(torch.zeros(2, 3), 1)
