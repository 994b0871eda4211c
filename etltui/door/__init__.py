"""The door: one engine, served to other processes over a Unix socket in its state folder."""
