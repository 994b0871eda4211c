"""What a receiver's answer means: acknowledged, to be tried again, or refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.masking import masked
from etltui.domain.safe_text import safe_text

SHOWN = 200
"""Characters of an answer that a message tells."""
_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        headers: By name in small letters.
        text: The beginning of its body.
    """

    status: int
    headers: Mapping[str, str]
    text: str = ""

    @property
    def acknowledges(self) -> bool:
        """Whether the receiver has the batch: it took it now, or tells that it did before."""
        return 200 <= self.status < 300 or self.status == HTTPStatus.CONFLICT

    @property
    def passes(self) -> bool:
        """Whether the same request may be taken a while later."""
        return self.status >= 500 or self.status in _AGAIN

    def retry_after(self, now: datetime) -> float | None:
        """In how many seconds the receiver wants to be asked again, None where it does not say."""
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit():
            return float(said)
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())


def refusal(answer: Answer, place: str, secrets: Iterable[str]) -> Failure:
    """The failure of an answer that does not acknowledge.

    Args:
        answer: What came.
        place: Who answered.
        secrets: What was sent that nobody may read.
    """
    if 300 <= answer.status < 400:
        said = "sends elsewhere, and that is not followed: write the receiver's own url"
    else:
        text = safe_text(" ".join(masked(answer.text, secrets).split()))
        said = f"answers: {text[:SHOWN]}" if text else "says no more"
    return Failure(
        ErrorClass.TARGET,
        f"{place} did not take the rows (status {answer.status}) and {said}",
        {"status": str(answer.status)},
    )
