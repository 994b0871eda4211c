"""Named profiles: settings that suit a size of work, laid over the defaults and under the file."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Settings that belong together.

    Attributes:
        why: One or two sentences: what it is for, and what its numbers are for.
        values: The settings that it says.
    """

    why: str
    values: Mapping[str, int | bool]


PROFILES: Mapping[str, Profile] = {
    "branches_50": Profile(
        why="50 connections and more in one job: a run that broke off goes on where it was, "
        "a slow branch has ten minutes, and half as much memory again keeps writing in step.",
        values={"resume_jobs": True, "memory_threshold_mb": 1536, "query_timeout_s": 600},
    ),
    "branches_80": Profile(
        why="70 to 80 branches read at once: every branch gets its session without waiting for "
        "another, and 20 for one server leave its own users room.",
        values={"pool_size": 20, "max_connections": 80, "max_jobs": 10},
    ),
    "branches_500": Profile(
        why="500 branches and more: as many sessions as the program opens, larger pools for "
        "servers that hold many branches, and sessions kept for a minute because logging in "
        "500 times costs more than keeping them.",
        values={"pool_size": 30, "max_connections": 500, "max_jobs": 20, "pool_idle_s": 60},
    ),
    "rows_1m": Profile(
        why="A million rows and more from one connection: a quarter of an hour for its queries, "
        "2 GB before work waits, and nothing read twice after a break.",
        values={"resume_jobs": True, "memory_threshold_mb": 2048, "query_timeout_s": 900},
    ),
}
