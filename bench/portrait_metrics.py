"""How near a decoded portrait is to its picture: PSNR of light, colour and RGB, SSIM, MS-SSIM and SSIMULACRA2."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Layer = NDArray[np.float64]

SIGMA_PX: Final = 1.5
REACH_PX: Final = 5
STABILISERS: Final = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
# The first three of the five customary weights: a portrait of 102x126 has no room for five scales.
SCALE_WEIGHTS: Final = (0.0448, 0.2856, 0.3001)


def measures(picture: Pixels, shown: Pixels) -> dict[str, float]:
    """PSNR in dB of Y, of Cb and Cr together and of RGB, SSIM and MS-SSIM of Y; both uint8[rows, columns, 3]."""
    one, other = layers(picture), layers(shown)
    errors = ((one - other) ** 2).mean(axis=(1, 2))
    rgb_error = float(((picture.astype(np.float64) - shown) ** 2).mean())
    similarity, scales = ssim_of_scales(one[0], other[0])
    return {
        "psnr_y": psnr_db(errors[0]),
        "psnr_c": psnr_db(errors[1:].mean()),
        "psnr_rgb": psnr_db(rgb_error),
        "ssim": similarity,
        "ms_ssim": scales,
    }


def layers(pixels: Pixels) -> Layer:
    """Y, Cb and Cr of BT.601, full range, unrounded: float64[3, rows, columns]."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([light, (blue - light) / 1.772, (red - light) / 1.402])


def weighted_psnr_db(one: Pixels, other: Pixels) -> float:
    """PSNR over Y, Cb and Cr with weights 6 : 1 : 1: what every codec's search goes by."""
    errors = ((layers(one) - layers(other)) ** 2).mean(axis=(1, 2))
    return psnr_db(float((6 * errors[0] + errors[1] + errors[2]) / 8))


def psnr_db(error: float) -> float:
    """Peak signal-to-noise ratio of a mean squared error."""
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def ssim_of_scales(one: Layer, other: Layer) -> tuple[float, float]:
    """SSIM at full size, and MS-SSIM over three scales."""
    weights, total, full = np.array(SCALE_WEIGHTS) / sum(SCALE_WEIGHTS), 1.0, 0.0
    for scale, weight in enumerate(weights):
        whole, structure = ssim_maps(one, other)
        if scale == 0:
            full = float(whole.mean())
        part = whole if scale == len(weights) - 1 else structure
        total *= max(1e-6, float(part.mean())) ** weight
        one, other = halved(one), halved(other)
    return full, float(total)


def ssim_maps(one: Layer, other: Layer) -> tuple[Layer, Layer]:
    """The SSIM of each place whose Gaussian window lies inside, and its contrast and structure part."""
    mean_one, mean_other = blurred(one), blurred(other)
    spread_one = blurred(one * one) - mean_one**2
    spread_other = blurred(other * other) - mean_other**2
    together = blurred(one * other) - mean_one * mean_other
    structure = (2 * together + STABILISERS[1]) / (spread_one + spread_other + STABILISERS[1])
    light = (2 * mean_one * mean_other + STABILISERS[0]) / (mean_one**2 + mean_other**2 + STABILISERS[0])
    return light * structure, structure


def blurred(layer: Layer) -> Layer:
    """The Gaussian mean of 11x11 pixels, where they all lie inside."""
    window = np.exp(-(np.arange(-REACH_PX, REACH_PX + 1) ** 2) / (2 * SIGMA_PX**2))
    window /= window.sum()
    rows = np.lib.stride_tricks.sliding_window_view(layer, 2 * REACH_PX + 1, axis=0) @ window
    blurred_layer: Layer = np.lib.stride_tricks.sliding_window_view(rows, 2 * REACH_PX + 1, axis=1) @ window
    return blurred_layer


def halved(layer: Layer) -> Layer:
    """The means of 2x2 pixels; an odd last row or column is left out."""
    rows, columns = layer.shape[0] // 2 * 2, layer.shape[1] // 2 * 2
    quarters: Layer = layer[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    return quarters


def ssimulacra2(one: Pixels, other: Pixels) -> float:
    """SSIMULACRA2 by the package of that name, which must be installed; 100 is alike."""
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (one, other):
        files.append(io.BytesIO())
        Image.fromarray(pixels).save(files[-1], "PNG")
    return float(compute_ssimulacra2(*files))
