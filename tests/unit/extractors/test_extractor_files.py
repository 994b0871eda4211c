"""Work on files whose extractor dies: begun again where that leaves the same behind."""

from contextlib import asynccontextmanager

import pytest

from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published
from etltui.domain.read_back import TargetRead
from etltui.extractors import protocol as p
from etltui.extractors.files import TRIES, ExtractorFiles

CRASH = ErrorClass.DRIVER_CRASH
PUBLISHED = Published(bytes=1, crc=2, rows=3)
READ = TargetRead()


class Client:
    """An extractor that does all work at once, or fails as often as it is told."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.asked = []

    def number(self):
        return len(self.asked) + 1

    async def request(self, message):
        self.asked.append(message)
        if self.failures:
            raise Failure(self.failures.pop(0), "gone")
        return p.Done(id=message.id, verified=(True,), delivered=True, read=READ)

    @asynccontextmanager
    async def borrowed(self):
        yield self


WORK = {
    "verify": lambda files: files.verify("parts", ()),
    "restore": lambda files: files.restore("parts", "out.csv", (), ()),
    "deliver": lambda files: files.deliver("tmp", "out.csv", PUBLISHED),
    "read_back": lambda files: files.read_back(None),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
async def test_another_extractor_is_asked_where_one_dies(work):
    client = Client(*[CRASH] * (TRIES - 1))
    assert await work(ExtractorFiles(client.borrowed)) in [(True,), True, READ]
    assert [message.id for message in client.asked] == [1, 2, 3]


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
@pytest.mark.parametrize("failures", [[CRASH] * TRIES, [ErrorClass.TARGET]])
async def test_what_does_not_help_is_not_repeated(work, failures):
    client = Client(*failures)
    with pytest.raises(Failure, match="gone"):
        await work(ExtractorFiles(client.borrowed))
    assert len(client.asked) == len(failures)


async def test_a_partial_target_that_was_renamed_could_not_be_told_from_a_lost_one():
    client = Client(CRASH)
    with pytest.raises(Failure, match="gone"):
        await ExtractorFiles(client.borrowed).deliver("tmp", "out.csv", None)
    assert len(client.asked) == 1
