"""The console without a screen: a line for each change, and commands at a prompt."""
