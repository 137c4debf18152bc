"""What a training folder is: pictures, captions, sizes, repeats, and what is wrong. LIGHT (PIL, numpy, cv2)."""

from trainer.dataset.problems import DatasetError, Problem

__all__ = ["DatasetError", "Problem"]
