"""The contract of time: every network x hop x length."""

import itertools

import pytest

from hear_fusion.backbones import REGISTRY
from hear_fusion.timeline import Patches, Purpose, Stream, Timeline, Windows

CNN14 = Stream(16000, 160, 512, True, 32, (320, 160, 80, 40, 20), halo=128)
CNN14_32K = Stream(32000, 320, 1024, True, 32, (320, 160, 80, 40, 20), halo=128)
YAMNET = Patches(16000, 160, 400, False, 32, (320, 160, 80, 40, 20), patch=96, scene_hop=48)
VGGISH = Patches(
    16000, 160, 400, False, 16, (160, 80, 40, 20, 10),
    patch=96, scene_hop=96, drops_scene_tail=True,
)  # fmt: skip
AST = Windows(16000, 160, 400, False, 10, (100, 50, 25), column=16, longest=2998, window=1024)
PUBLISHED = {"cnn14": CNN14, "yamnet": YAMNET, "vggish": VGGISH, "ast": AST}
TIMELINES: dict[str, Timeline] = {
    **{name: network.timeline for name, network in REGISTRY.items()},
    "cnn14_32k": CNN14_32K,
}

SECONDS = [0.01, 0.3, 0.31, 0.5, 0.96, 0.975, 1.0, 1.07, 1.98, 2.7, 4.0, 5.0, 9.99, 30.0, 61.37]
ODD_SAMPLES = [1, 2, 159, 160, 161, 399, 400, 4959, 4960, 4961, 15599, 15600, 15601, 23280, 23281]
CASES = [
    (name, hop, n_samples)
    for name, timeline in TIMELINES.items()
    for hop in (None, *timeline.hops_ms)
    for n_samples in [*ODD_SAMPLES, *(round(s * timeline.sample_rate) for s in SECONDS)]
]


def test_networks_walk_as_published() -> None:
    assert {name: TIMELINES[name] for name in PUBLISHED} == PUBLISHED
    assert AST.lead == 600


@pytest.mark.parametrize(("name", "hop_ms", "n_samples"), CASES)
def test_timestamps_are_regular_ascending_in_range_and_at_least_one(
    name: str, hop_ms: int | None, n_samples: int
) -> None:
    timeline = TIMELINES[name]
    times = timeline.timestamps_ms(n_samples, hop_ms)
    duration_ms = 1000 * n_samples / timeline.sample_rate
    step = timeline.hop_samples(hop_ms) * 1000 / timeline.sample_rate

    assert len(times) == timeline.n_frames(n_samples, hop_ms) >= 1
    assert all(0 <= t <= duration_ms for t in times)
    assert [b - a for a, b in itertools.pairwise(times)] == [step] * (len(times) - 1)
    if len(times) > 1:
        assert times[0] == step / 2 + (timeline.lead / 16 if hop_ms is None else 0)
    if hop_ms is not None and times[-1] < duration_ms:
        assert times[-1] + step > duration_ms, "the tail has no slot"


@pytest.mark.parametrize(("name", "hop_ms", "n_samples"), CASES)
def test_mel_frames_cover_what_frames_need(name: str, hop_ms: int | None, n_samples: int) -> None:
    timeline = TIMELINES[name]
    n_mel = timeline.n_mel(n_samples, "frames", hop_ms)
    assert n_mel >= timeline.frame_stride
    if isinstance(timeline, Patches):
        assert n_mel % timeline.patch == 0
        needed = timeline.n_frames(n_samples, hop_ms) * timeline.hop_samples(hop_ms)
        assert needed <= n_mel * timeline.mel_hop < needed + timeline.patch * timeline.mel_hop
    else:
        column = timeline.column if isinstance(timeline, Windows) else timeline.frame_stride
        assert timeline.n_frames(n_samples) == 1 + (n_mel - column) // timeline.frame_stride


@pytest.mark.parametrize("n_samples", [*ODD_SAMPLES, 80000])
def test_yamnet_scenes_pad_to_its_own_half_overlapping_grid(n_samples: int) -> None:
    n_mel = YAMNET.n_mel(n_samples, "scenes")
    padded = (n_mel - 1) * 160 + 400
    assert padded >= n_samples
    assert (padded - 15600) % 7680 == 0
    assert padded == 15600 or padded - 7680 < n_samples


@pytest.mark.parametrize("n_samples", [*ODD_SAMPLES, 30959, 30960, 30961, 40000, 80000])
def test_vggish_scenes_drop_the_tail_but_never_everything(n_samples: int) -> None:
    n_mel = max(0, 1 + (n_samples - 400) // 160)  # as the original frames a sound
    assert VGGISH.n_mel(n_samples, "scenes") == 96 * max(1, n_mel // 96)


def test_default_frames_are_the_papers() -> None:
    # checkpoints: N=16000 -> T=101 -> 3; 40000 -> 251 -> 7; 10080 -> 2; the shortest is 4960.
    assert [CNN14.n_frames(n) for n in (4959, 4960, 16000, 40000, 10080)] == [1, 1, 3, 7, 2]
    assert CNN14.n_mel(40000, "scenes") == 251
    assert VGGISH.timestamps_ms(15360) == [80.0, 240.0, 400.0, 560.0, 720.0, 880.0]


def test_ast_frames_stand_at_the_centres_of_their_patches() -> None:
    # 16 mel frames of 25 ms, 10 ms apart, span 175 ms
    assert AST.timestamps_ms(16000) == [87.5 + 100 * i for i in range(9)]
    assert AST.timestamps_ms(16000, 100) == [50.0 + 100 * i for i in range(10)]
    assert [AST.n_mel(n, "scenes") for n in (1, 2800, 2959, 2960, 480000)] == [16, 16, 16, 17, 2998]


@pytest.mark.parametrize("n_per_chunk", [1, 1024, 2500, 10**6])
@pytest.mark.parametrize("n_mel", [16, 25, 2998, 2999, 3039, 3040, 3045, 3046, 7093, 119998])
def test_ast_windows_tile_the_columns(n_mel: int, n_per_chunk: int) -> None:
    columns = [
        (chunk.start + i * chunk.window_hop) // 10 + column
        for chunk in AST.chunks(n_mel, "scenes", n_per_chunk)
        for i in range(chunk.n_windows)
        for column in range(1 + (chunk.window - 16) // 10)
    ]
    assert columns == list(range(1 + (n_mel - 16) // 10))
    chunks = list(AST.chunks(n_mel, "scenes", n_per_chunk))
    assert all(chunk.stop <= n_mel for chunk in chunks)
    if n_mel <= 2998:
        assert [chunk.window for chunk in chunks] == [n_mel]
    else:
        assert {chunk.window for chunk in chunks[:-1]} <= {1024}
        assert chunks[-1].window <= 1024


@pytest.mark.parametrize("n_per_chunk", [1, 32, 100, 992, 3000, 10**6])
@pytest.mark.parametrize("n_mel", [32, 33, 95, 501, 3007, 6138])
def test_stream_chunks_tile_the_clip_with_full_halos(n_mel: int, n_per_chunk: int) -> None:
    chunks = list(CNN14.chunks(n_mel, "scenes", n_per_chunk))
    assert chunks[0].keep_start == 0
    assert chunks[-1].keep_stop == n_mel
    for left, right in itertools.pairwise(chunks):
        assert left.keep_stop == right.keep_start
    for chunk in chunks:
        assert chunk.n_windows == 1
        assert chunk.start % 32 == chunk.keep_start % 32 == 0
        assert chunk.start == max(0, chunk.keep_start - 128)
        assert chunk.stop == min(n_mel, chunk.keep_stop + 128)
        assert chunk.keep_stop - chunk.keep_start >= 32


@pytest.mark.parametrize("purpose", ["scenes", "frames"])
@pytest.mark.parametrize("n_per_chunk", [1, 96, 500, 10**6])
def test_patch_chunks_visit_every_patch_once(purpose: Purpose, n_per_chunk: int) -> None:
    n_mel = YAMNET.n_mel(100_000, purpose)
    hop = 48 if purpose == "scenes" else 96
    starts = [
        chunk.start + i * chunk.window_hop
        for chunk in YAMNET.chunks(n_mel, purpose, n_per_chunk)
        for i in range(chunk.n_windows)
    ]
    assert starts == list(range(0, n_mel - 95, hop))
    assert len(starts) > 3
