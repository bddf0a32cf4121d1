"""Which SKU is on a crop: systems that name what a detector found."""

from rpc.recognition.classifier import CropClassifier, Recogniser
from rpc.recognition.crops import cut_crops, jitter_boxes

__all__ = ["CropClassifier", "Recogniser", "cut_crops", "jitter_boxes"]
