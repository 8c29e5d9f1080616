"""From the features of images to one row a concept, to an RDM, and to a readout."""
