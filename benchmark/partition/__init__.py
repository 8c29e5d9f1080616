"""What two or three models explain of the RDM of a target, alone and together: parts and a figure."""

from benchmark.partition.compare import ModelPartition, Part, model_partition
from benchmark.partition.shares import Share, Shares, best_layer_shares

__all__ = ["ModelPartition", "Part", "Share", "Shares", "best_layer_shares", "model_partition"]
