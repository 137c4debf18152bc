"""What a training folder is: pictures, captions, sizes, repeats, and what is wrong with them. LIGHT (PIL, numpy, cv2)."""

from trainer.dataset.problems import DatasetError, Problem

__all__ = ["DatasetError", "Problem"]
