"""How far asking a database came: the stages that were passed, and the one that was not."""

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.inquiry import Stage, Step
from etltui.domain.server import Reached, ServerFacts

_STAGES = {
    ErrorClass.UNREACHABLE: Stage.TCP,
    ErrorClass.REFUSED: Stage.TCP,
    ErrorClass.TLS: Stage.TLS,
    ErrorClass.NO_DATABASE: Stage.DATABASE,
}
"""Where a session fails that is being opened; anything else happens over the login."""


def on_the_way(reached: Reached | None) -> tuple[Step, ...]:
    """The stages up to the server, where it was reached."""
    if reached is None:
        return ()
    return (
        Step(stage=Stage.DNS, milliseconds=1000 * reached.resolve_s),
        Step(stage=Stage.TCP, milliseconds=1000 * reached.connect_s),
    )


def opened(facts: ServerFacts, seconds: float, *, local: bool) -> tuple[Step, ...]:
    """The stages of a session that was opened.

    Args:
        facts: What its database said.
        seconds: What opening it took, from the login to the database.
        local: Whether it is a file's.
    """
    if local:
        return (Step(stage=Stage.FILE, milliseconds=1000 * seconds),)
    tls = (Step(stage=Stage.TLS),) if facts.encrypted else ()
    login = Step(stage=Stage.LOGIN, milliseconds=1000 * seconds)
    return (*tls, login, Step(stage=Stage.DATABASE))


def not_opened(failure: Failure, before: tuple[Step, ...], *, local: bool) -> tuple[Step, ...]:
    """All stages of a session that could not be opened, as far as they are known.

    Args:
        failure: Why.
        before: The stages up to the server.
        local: Whether it is a file's.
    """
    named = failure.facts.get("stage", "")
    at = Stage(named) if named else _STAGES.get(failure.error_class, Stage.LOGIN)
    if local:
        at = Stage.FILE
    known = [step for step in before if step.stage is not at]
    if at is Stage.TCP and not known and named:
        known = [Step(stage=Stage.DNS)]
    if at is Stage.DATABASE:
        known.append(Step(stage=Stage.LOGIN))
    return (*known, Step(stage=at, passed=False))
