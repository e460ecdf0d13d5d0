"""The scores that a sweep keeps of each of its levels, as they are at the end of training."""

SCORES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "calibration_error")
ALWAYS = SCORES[:2]
"""The scores that there are of every network; the others are those of networks with several outputs."""
