"""Says values of the domain: as JSON in the spelling of each reader, and as plain lines."""
