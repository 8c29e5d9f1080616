"""From images to the words that people associate with them: mapping, targets, sampling and training."""
