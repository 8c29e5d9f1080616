"""What a model sees in one photo: the properties that people name, as each layer predicts them."""
