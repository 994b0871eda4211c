"""How a run connection ended, as a sign, and with its word."""

from etltui.console.cells import Styled
from etltui.console.glyphs import Glyphs, status_glyph, status_role
from etltui.domain.logbook import Outcome
from etltui.domain.run import ConnectionStatus
from etltui.domain.words import words


def outcome_glyph(glyphs: Glyphs, outcome: Outcome) -> Styled:
    """How it ended, as one sign: well, with unusual rows, or not at all."""
    if outcome.status is ConnectionStatus.COMPLETED and outcome.far:
        return Styled(glyphs.warning, "warn")
    return Styled(status_glyph(glyphs, outcome.status), status_role(outcome.status))


def outcome_word(outcome: Outcome) -> str:
    """How it ended, in a word; of a failure its class."""
    return words(outcome.error_class or outcome.status)


def outcome_status(glyphs: Glyphs, outcome: Outcome) -> Styled:
    """How it ended: sign and word."""
    sign, role = outcome_glyph(glyphs, outcome)
    return Styled(f"{sign} {outcome_word(outcome)}", role)
