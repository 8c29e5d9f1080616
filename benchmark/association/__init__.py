"""From images to what people associate with them: mapping, targets, sampling and training."""
