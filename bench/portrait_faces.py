"""How far a face descriptor moves when a portrait is coded: dlib's, of the optional extra `faces`."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Descriptor = NDArray[np.float64]

ENLARGED: Final = 3
FACE_PX: Final = (20, 38, 82, 100)  # left, top, right, bottom of the face in an ID photo of 102x126
DESCRIPTOR_MODEL: Final = "dlib_face_recognition_resnet_model_v1.dat"
# Not the 68 landmarks of the same package: they were learnt from pictures that forbid commercial use.
LANDMARKS_MODEL: Final = "shape_predictor_5_face_landmarks.dat"


def here() -> bool:
    """Whether dlib and its models are installed."""
    return bool(find_spec("dlib")) and models() is not None


def models() -> Path | None:
    """The folder of the models; their package is not imported, for it needs a module that newer Pythons lack."""
    found = find_spec("face_recognition_models")
    places = [Path(place, "models") for place in (found.submodule_search_locations or [])] if found else []
    return next((place for place in places if (place / LANDMARKS_MODEL).is_file()), None)


def descriptor(pixels: Pixels) -> Descriptor:
    """128 numbers of the face in a portrait; those of one person lie less than 0.6 apart.  About 0.15 s."""
    network, landmarks, face = loaded()
    enlarged = (pixels.shape[1] * ENLARGED, pixels.shape[0] * ENLARGED)
    shown = np.asarray(Image.fromarray(pixels).resize(enlarged, Image.Resampling.BICUBIC))
    return np.array(network.compute_face_descriptor(shown, landmarks(shown, face), 1))


@lru_cache(maxsize=1)
def loaded() -> tuple[Any, Any, Any]:
    """The network, the landmarks, and where the face is: found by no detector, so that none can miss it."""
    import dlib

    place = models()
    if place is None:
        raise FileNotFoundError("no face models")
    return (
        dlib.face_recognition_model_v1(str(place / DESCRIPTOR_MODEL)),
        dlib.shape_predictor(str(place / LANDMARKS_MODEL)),
        dlib.rectangle(*(edge * ENLARGED for edge in FACE_PX)),
    )
