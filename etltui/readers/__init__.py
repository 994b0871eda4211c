"""From a database to Arrow batches, one file a kind."""
