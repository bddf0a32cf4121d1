"""Which SKU is on a crop: systems that name what a detector found."""

from rpc.recognition.counter.crops import cut_crops, jitter_boxes
from rpc.recognition.counter.recogniser import Recogniser
from rpc.recognition.systems.crop_classifier import CropClassifier

__all__ = ["CropClassifier", "Recogniser", "cut_crops", "jitter_boxes"]
