"""The state on disk: runs, checkpoints, publications, the lock, the checkpoint mirror."""
