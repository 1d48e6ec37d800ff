"""Data: folders of pictures as a graph's signals, and batches of them in an order that resumes."""

from cyclekit.data.attributes import AttributeTable, read_attributes
from cyclekit.data.colour import ColourJitter
from cyclekit.data.dataset import SignalDataset
from cyclekit.data.fitting import check_signals
from cyclekit.data.folders import PairedFolders, UnpairedFolders
from cyclekit.data.keypoint_pairs import KeypointPairs, read_pairs
from cyclekit.data.labelled import LabelledFolder
from cyclekit.data.loader import SignalLoader
from cyclekit.data.order import ResumableBatches, StepRandom
from cyclekit.data.panels import Panels
from cyclekit.data.pictures import find_pictures, read_picture
from cyclekit.data.pose_drawing import Drawing
from cyclekit.data.posed_images import PosedImages
from cyclekit.data.reader import read_signal
from cyclekit.data.transform import BatchTransform
from cyclekit.errors import DataError

__all__ = [
    "AttributeTable",
    "BatchTransform",
    "ColourJitter",
    "DataError",
    "Drawing",
    "KeypointPairs",
    "LabelledFolder",
    "PairedFolders",
    "Panels",
    "PosedImages",
    "ResumableBatches",
    "SignalDataset",
    "SignalLoader",
    "StepRandom",
    "UnpairedFolders",
    "check_signals",
    "find_pictures",
    "read_attributes",
    "read_pairs",
    "read_picture",
    "read_signal",
]
