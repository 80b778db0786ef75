"""Episodes in the formats that other people's learning code reads."""

from policies.datasets.dataset import DATASETS, DatasetError, write_dataset

__all__ = ["DATASETS", "DatasetError", "write_dataset"]
