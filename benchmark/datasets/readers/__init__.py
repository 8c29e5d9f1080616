"""One reader for each format in which real data are published."""
