"""CIELAB, compared with scikit-image, and CIEDE2000 with the test data of its paper."""

import numpy as np
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from albedo_pipeline.imaging import colour
from albedo_pipeline.metrics.cielab import ciede2000, decode_srgb, linear_to_lab

SHARMA = np.array(
    [
        [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425],
        [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615],
        [50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412],
        [50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000],
        [50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000],
        [50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000],
        [50, 0, 0, 50, -1, 2, 2.3669],
        [50, -1, 2, 50, 0, 0, 2.3669],
        [50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792],
        [50, 2.49, -0.001, 50, -2.49, 0.0010, 7.1792],
        [50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195],
        [50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195],
        [50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045],
        [50, -0.001, 2.49, 50, 0.0010, -2.49, 4.8045],
        [50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461],
        [50, 2.5, 0, 50, 0, -2.5, 4.3065],
        [50, 2.5, 0, 73, 25, -18, 27.1492],
        [50, 2.5, 0, 61, -5, 29, 22.8977],
        [50, 2.5, 0, 56, -27, -3, 31.9030],
        [50, 2.5, 0, 58, 24, 15, 19.4535],
        [50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000],
        [50, 2.5, 0, 50, 3.2972, 0, 1.0000],
        [50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000],
        [50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)
"""Table 1 of Sharma, Wu & Dalal (2005): two colours (L*, a*, b*) and their CIEDE2000."""


def test_ciede2000_equals_the_papers_table() -> None:
    first, second = (torch.from_numpy(SHARMA[:, part]) for part in (slice(3), slice(3, 6)))
    np.testing.assert_allclose(ciede2000(first, second), SHARMA[:, 6], atol=5e-5)
    np.testing.assert_allclose(ciede2000(second, first), SHARMA[:, 6], atol=5e-5)


def test_ciede2000_equals_scikit_image_for_random_colours() -> None:
    random = np.random.default_rng(0)
    first, second = random.uniform([0, -100, -100], [100, 100, 100], size=(2, 5000, 3))
    ours = ciede2000(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(ours, deltaE_ciede2000(first, second), atol=1e-9)


def test_lab_equals_scikit_image() -> None:
    encoded = np.random.default_rng(1).random((1000, 3))
    ours = linear_to_lab(decode_srgb(torch.from_numpy(encoded)))
    np.testing.assert_allclose(ours, rgb2lab(encoded), atol=0.01)


def test_greys_have_no_chroma() -> None:
    grey = torch.linspace(0, 1, 11, dtype=torch.float64).view(-1, 1).expand(-1, 3)
    lab = linear_to_lab(grey)
    assert lab[:, 1:].abs().max() < 1e-10
    np.testing.assert_allclose(lab[[0, -1], 0], [0, 100], atol=1e-10)


def test_the_srgb_curve_equals_that_of_imaging() -> None:
    encoded = np.linspace(0, 1, 1001)
    ours = decode_srgb(torch.from_numpy(encoded))
    np.testing.assert_allclose(ours, colour.decode_srgb(encoded), atol=1e-6)
