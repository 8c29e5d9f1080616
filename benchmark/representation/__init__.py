"""From the features of images to one row per concept, to an RDM, and to a readout."""
