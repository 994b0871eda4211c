"""From Arrow batches to parts, and from parts to a target."""
