"""Runs jobs: queue, runner, publishing, events, memory."""
