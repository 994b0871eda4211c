"""From TOML, environment and flags to values that have been checked."""
