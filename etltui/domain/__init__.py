"""Values, rules, errors and ports; no input or output."""
