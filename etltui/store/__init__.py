"""The state on disk: runs, checkpoints, publications."""
