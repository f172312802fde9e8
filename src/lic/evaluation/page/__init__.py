"""The page of one image in a codec: one file that needs nothing else."""
