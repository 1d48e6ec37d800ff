"""Readers of keypoint files: COCO, Market-1501, OpenFace, OpenPose."""
