"""Which torch for which machine. The outputs of nvidia-smi are in the shapes that drivers of 2019 to 2026 print."""

from __future__ import annotations

import platform
import sys

import pytest

from webui.launcher.torch_build import BUILDS, TORCH, Driver, Source, download_listing, read_driver, sources, suitable

BANNER = """
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 570.86.10              Driver Version: 570.86.10      CUDA Version: 12.8     |
|-----------------------------------------+------------------------+----------------------+
"""
NEWER_BANNER = "| NVIDIA-SMI 590.48.01      KMD Version: 590.48.01     CUDA UMD Version: 13.1     |"
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"
PLACE = "https://torch.example/whl"


def wheel(build: str) -> str:
    tail = "win_amd64" if sys.platform == "win32" else f"manylinux_2_28_{platform.machine().lower()}"
    return f"torch-{TORCH}%2B{build}-{PYTHON}-{PYTHON}-{tail}.whl"


def nothing_listed(url: str) -> str:
    return ""


def test_the_driver_is_read_from_the_banner_and_the_cards_from_the_query():
    assert read_driver(BANNER, "8.9\n6.1\n") == Driver((12, 8), ((8, 9), (6, 1)))
    assert read_driver(NEWER_BANNER, "12.0\n") == Driver((13, 1), ((12, 0),))


def test_an_old_nvidia_smi_that_knows_no_capability_is_enough():
    assert read_driver(BANNER, 'Field "compute_cap" is not a valid field to query.\n') == Driver((12, 8), ())


def test_a_failed_nvidia_smi_is_no_driver():
    assert read_driver("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "") is None


@pytest.mark.parametrize(
    ("driver", "builds"),
    [
        (None, ("cpu",)),
        (Driver((13, 1), ((8, 6),)), ("cu130", "cu128", "cu126")),
        (Driver((12, 8), ((8, 9),)), ("cu128", "cu126")),
        (Driver((12, 4), ()), ("cu126",)),
        (Driver((13, 0), ((6, 1),)), ("cu126",)),  # GTX 1080: CUDA 13 has no code for it
        (Driver((12, 9), ((12, 0),)), ("cu128",)),  # RTX 5090: cu126 has no code for it
        (Driver((12, 4), ((12, 0),)), ()),
        (Driver((11, 8), ((7, 5),)), ()),
        (Driver((13, 0), ((6, 1), (12, 0))), ()),  # no build runs both cards
    ],
)
def test_the_build_fits_the_driver_and_every_card(driver, builds):
    assert suitable(driver) == builds


def test_a_package_index_with_an_own_cpu_build_is_used_without_asking_anyone_else():
    def no_download(url: str) -> str:
        raise AssertionError(url)

    found = sources(("cpu",), [PLACE], lambda source: True, no_download, "linux")
    assert found == [Source("cpu", f"torch=={TORCH}+cpu")]


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux wheels")
def test_without_one_the_cpu_build_comes_from_torchs_index_and_the_plain_one_is_the_last_resort():
    pages = {f"{PLACE}/cpu/torch/": f'<a href="{wheel("cpu")}">'}
    found = sources(("cpu",), [PLACE], lambda source: False, lambda url: pages.get(url, ""), "linux")
    assert found == [
        Source("cpu", f"torch=={TORCH}+cpu", ("--extra-index-url", f"{PLACE}/cpu")),
        Source("cu130", f"torch=={TORCH}", ordinary=True),
    ]


def test_on_windows_the_plain_torch_is_the_cpu_build():
    assert sources(("cpu",), [PLACE], lambda source: False, nothing_listed, "win32") == [
        Source("cpu", f"torch=={TORCH}", ordinary=True)
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux wheels")
def test_the_best_build_that_is_really_there_is_taken():
    pages = {f"{PLACE}/cu128/torch/": "torch-2.12.0%2Bcu128", f"{PLACE}/cu126/torch/": wheel("cu126")}
    found = sources(("cu128", "cu126"), [PLACE], lambda source: False, lambda url: pages.get(url, ""), "linux")
    assert found == [Source("cu126", f"torch=={TORCH}+cu126", ("--extra-index-url", f"{PLACE}/cu126"))]


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux wheels")
def test_a_plain_folder_of_wheels_works_too_and_the_next_place_is_asked_when_the_first_is_silent():
    second = "https://folder.example/wheels"
    pages = {f"{second}/cu130/": wheel("cu130")}
    found = sources(("cu130",), [PLACE, second], lambda source: False, lambda url: pages.get(url, ""), "linux")
    assert found[0] == Source("cu130", f"torch=={TORCH}+cu130", ("--find-links", f"{second}/cu130/"))


def test_without_torchs_index_a_new_driver_on_linux_gets_the_plain_build_and_an_old_one_nothing():
    new = sources(("cu130", "cu128", "cu126"), [PLACE], lambda source: False, nothing_listed, "linux")
    old = sources(("cu126",), [PLACE], lambda source: False, nothing_listed, "linux")
    windows = sources(("cu130",), [PLACE], lambda source: False, nothing_listed, "win32")
    assert new == [Source("cu130", f"torch=={TORCH}", ordinary=True)]
    assert (old, windows) == ([], [])  # a plain torch would ignore the card without a word


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux wheels")
def test_a_users_index_may_name_the_build_already():
    pages = {"https://torch.example/whl/cu126/torch/": wheel("cu126")}
    found = sources(("cu126",), [f"{PLACE}/cu126"], lambda source: False, lambda url: pages.get(url, ""), "linux")
    assert found == [Source("cu126", f"torch=={TORCH}+cu126", ("--extra-index-url", f"{PLACE}/cu126"))]


def test_a_place_that_does_not_answer_lists_nothing():
    assert download_listing("http://127.0.0.1:9/whl/cpu/torch/") == ""
    assert download_listing("not an address") == ""


def test_the_builds_that_can_be_asked_for_are_the_ones_that_are_chosen_from():
    assert ("cpu", *suitable(Driver((99, 0)))) == BUILDS
