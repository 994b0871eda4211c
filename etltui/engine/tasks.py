"""Turns a plan into what an extractor is asked to do."""

from dataclasses import asdict

from etltui.domain.job import Job
from etltui.domain.plan import Plan, PlanConnection
from etltui.domain.task import ExtractTask, QueryTask, WriterTask
from etltui.domain.variants import part_variants
from etltui.engine.limits import QueryLimit
from etltui.engine.prepare import part_folder
from etltui.engine.tools import Tools


def query_tasks(plan: Plan, planned: PlanConnection) -> tuple[QueryTask, ...]:
    """The connection's queries, with the columns that the run has fixed."""
    fixed = plan.columns or ((),) * len(planned.queries)
    return tuple(
        QueryTask(
            name=query.name,
            sql=query.sql,
            params=query.params,
            columns=columns,
            drift=plan.job.drift,
            aliases=plan.job.aliases,
            control=query.control,
            control_tolerance=query.control_tolerance,
            on_control=query.on_control,
            procedures=plan.job.procedures,
        )
        for query, columns in zip(planned.queries, fixed, strict=True)
    )


def writer_tasks(plan: Plan, tools: Tools) -> tuple[WriterTask, ...]:
    """A part writer for each destination and variant."""
    folder = tools.parts_folder / plan.run
    places = {query.name: place for place, query in enumerate(plan.job.queries)}
    return tuple(
        WriterTask(
            destination=number,
            type=destination.type,
            folder=str(part_folder(folder, number, variant)),
            options=asdict(destination.options),
            variant=variant,
            query=places.get(destination.query),
        )
        for number, destination in enumerate(plan.job.destinations)
        for variant in part_variants(destination)
    )


def configured_s(job: Job, tools: Tools) -> float:
    """How long a connection's queries may take, as the job says, or else the settings."""
    return job.query_timeout_s or tools.query_timeout_s


def extract_task(
    plan: Plan,
    planned: PlanConnection,
    *,
    tools: Tools,
    attempt: int,
    batch_bytes: int = 0,
    limit: QueryLimit | None = None,
) -> ExtractTask:
    """Everything a child needs to move the connection's rows into parts."""
    job = plan.job
    return ExtractTask(
        run=plan.run,
        connection=planned.name,
        number=planned.number,
        attempt=attempt,
        queries=query_tasks(plan, planned),
        writers=writer_tasks(plan, tools),
        plan_hash=plan.hash,
        connection_hash=planned.hash,
        query_timeout_s=limit.seconds if limit else configured_s(job, tools),
        stall_timeout_s=job.stall_timeout_s or tools.stall_timeout_s,
        batch_bytes=batch_bytes,
        closing=planned.closing,
        rows_per_s=planned.connection.policy.rows_per_s,
    )
