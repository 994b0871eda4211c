"""Every message survives its journey, and nothing else does."""

import dataclasses

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etltui.domain.columns import TYPES, Column
from etltui.domain.part import Member, Published, Receipt
from etltui.domain.read_back import ReadBack, ReadTask, TargetRead
from etltui.domain.server import ServerReading
from etltui.domain.task import (
    Extracted,
    ExtractTask,
    GuardTask,
    Progress,
    PublishEntry,
    PublishTask,
    QueryTask,
    SessionTask,
    WriterTask,
)
from etltui.extractors import protocol as p

number = st.integers(0, 2**63 - 1)
text = st.text(max_size=8)
counts = st.dictionaries(text, number, max_size=2)
scalar = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | text
    | st.floats(
        allow_nan=False,
    )
)
column = st.builds(
    Column,
    name=text,
    type=st.sampled_from(sorted(TYPES)) | st.just("decimal(12,2)"),
)


def few(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


def made(kind, **given):
    """Values of a record: its plain fields are filled, the others as given or left out."""
    plain = {int: number, str: text, float: st.floats(allow_nan=False), bool: st.booleans()}
    fields = {f.name: plain[f.type] for f in dataclasses.fields(kind) if f.type in plain}
    return st.builds(kind, **fields, **given)


options = st.dictionaries(text, scalar, max_size=2)
query = made(QueryTask, params=options, columns=few(column))
writer = made(WriterTask, options=options)
extract_task = made(ExtractTask, queries=few(query), writers=few(writer))
receipt = made(Receipt, columns=few(column), widths=few(number), notes=counts)
published = made(Published, members=few(made(Member)), notes=counts)
entry = made(PublishEntry, trouble=st.none(), receipts=few(receipt))
publish_task = made(
    PublishTask,
    options=options,
    queries=few(text),
    columns=few(few(column)),
    entries=few(entry),
)
read_task = made(
    ReadTask,
    options=options,
    published=published,
    receipts=few(receipt),
    connections=few(text),
    queries=few(text),
    query=st.none() | number,
)
target_read = made(TargetRead, connections=few(made(ReadBack, read=st.none() | number)))
extracted = made(Extracted, receipts=few(receipt), notes=counts)
progress = made(Progress)

DOWN = {
    p.Open: st.builds(p.Open, id=number, session=number, task=made(SessionTask)),
    p.Ping: st.builds(p.Ping, id=number, session=number),
    p.Describe: st.builds(p.Describe, id=number, session=number, queries=few(query)),
    p.Explain: st.builds(p.Explain, id=number, session=number, queries=few(query)),
    p.ServerCheck: st.builds(p.ServerCheck, id=number, session=number),
    p.Extract: st.builds(p.Extract, id=number, session=number, task=extract_task),
    p.Close: st.builds(p.Close, id=number, session=number),
    p.Verify: st.builds(p.Verify, id=number, folder=text, receipts=few(receipt)),
    p.Restore: st.builds(
        p.Restore,
        id=number,
        folder=text,
        target=text,
        members=few(made(Member)),
        receipts=few(receipt),
    ),
    p.Ask: st.builds(p.Ask, id=number, session=number, query=made(QueryTask), dialect=text),
    p.Guard: st.builds(p.Guard, id=number, tasks=few(made(GuardTask))),
    p.Assemble: st.builds(p.Assemble, id=number, task=publish_task),
    p.Deliver: st.builds(
        p.Deliver,
        id=number,
        temporary=text,
        target=text,
        published=st.none() | published,
    ),
    p.ReadBack: st.builds(p.ReadBack, id=number, task=read_task),
    p.Cancel: st.builds(p.Cancel, id=number),
    p.Quit: st.builds(p.Quit),
}
reading = st.builds(ServerReading, name=text, value=text, meaning=text, warns=st.booleans())
UP = {
    p.Ready: st.builds(p.Ready, pid=number, pss=number),
    p.Done: st.builds(
        p.Done,
        id=number,
        columns=few(few(column)),
        plans=few(text),
        readings=few(reading),
        refusals=few(text),
        extracted=st.none() | extracted,
        verified=few(st.booleans()),
        published=st.none() | published,
        delivered=st.booleans(),
        read=st.none() | target_read,
    ),
    p.Failed: st.builds(
        p.Failed,
        id=number,
        error_class=text,
        message=text,
        facts=st.dictionaries(text, text, max_size=2),
        late=st.booleans(),
    ),
    p.Beat: st.builds(p.Beat, progress=few(progress), pss=number),
}


def test_no_message_is_forgotten_here():
    assert set(DOWN) == set(p.Down.__args__)
    assert set(UP) == set(p.Up.__args__)


@pytest.mark.parametrize(
    ("messages", "decode"),
    [
        *((messages, p.down) for messages in DOWN.values()),
        *((messages, p.up) for messages in UP.values()),
    ],
    ids=[kind.__name__ for kind in (*DOWN, *UP)],
)
def test_a_message_arrives_as_it_was_sent(messages, decode):
    @given(messages)
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def travels(message):
        data = p.frame(message)
        head, body = data[: p.HEAD.size], data[p.HEAD.size :]
        assert p.body_length(head) == len(body)
        assert decode(body) == message

    travels()


def test_a_password_is_not_shown():
    task = SessionTask(
        connection="A",
        kind="k",
        host="h",
        port=1,
        database="d",
        user="u",
        password="s3cret",
    )
    assert "s3cret" not in repr(p.Open(id=1, session=1, task=task))
    assert b"s3cret" in p.frame(p.Open(id=1, session=1, task=task))


def test_a_longer_message_is_refused_at_both_ends():
    assert p.body_length(p.HEAD.pack(p.MAX_MESSAGE)) == p.MAX_MESSAGE
    with pytest.raises(ValueError, match="longer than 67,108,864"):
        p.body_length(p.HEAD.pack(p.MAX_MESSAGE + 1))
    message = p.Failed(id=1, error_class="internal", message="")
    room = p.MAX_MESSAGE - len(p.frame(message))
    with pytest.raises(ValueError, match="longer than"):
        p.frame(msgspec.structs.replace(message, message="x" * (room + 64)))


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x81\xa4type\xa4Evil", b"\xff" * 9])
def test_what_is_no_message_is_refused(body):
    with pytest.raises(msgspec.DecodeError):
        p.down(body)
    with pytest.raises(msgspec.DecodeError):
        p.up(body)


def test_the_two_directions_are_not_confused():
    with pytest.raises(msgspec.ValidationError):
        p.up(p.frame(p.Quit())[p.HEAD.size :])
    with pytest.raises(msgspec.ValidationError):
        p.down(p.frame(p.Beat())[p.HEAD.size :])
