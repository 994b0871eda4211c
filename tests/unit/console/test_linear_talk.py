"""What is typed and said, at both ends of the descriptors."""

import asyncio
import os
import pty
import threading

from etltui.console.linear.ear import Ear
from etltui.console.linear.mouth import Mouth
from etltui.console.linear.tables import table
from etltui.console.linear.talk import Talk
from etltui.console.model.listing import Field


class Heard:
    def __init__(self):
        self.lines = []
        self.over = threading.Event()

    def __call__(self, line):
        self.lines.append(line)
        if line is None:
            self.over.set()


def test_lines_are_heard_whole_and_the_last_without_its_end():
    out, into = os.pipe()
    heard = Heard()
    ear = Ear(out, heard)
    ear.start()
    os.write(into, b"sta")
    os.write(into, b"tus\r\njobs\nqu\xffit")
    os.close(into)
    assert heard.over.wait()
    ear.close()
    os.close(out)
    assert heard.lines == ["status\r", "jobs", "qu\ufffdit", None]


def test_a_file_is_heard_to_its_end(tmp_path):
    path = tmp_path / "commands"
    path.write_text("jobs\n")
    heard = Heard()
    with path.open("rb") as file:
        ear = Ear(file.fileno(), heard)
        ear.start()
        assert heard.over.wait()
        ear.close()
    assert heard.lines == ["jobs", None]


def test_whoever_hears_no_more_takes_nothing_from_the_shell():
    out, into = os.pipe()
    heard = Heard()
    ear = Ear(out, heard)
    ear.start()
    ear.close()
    assert not ear.is_alive()
    os.write(into, b"for the shell\n")
    assert os.read(out, 100) == b"for the shell\n"
    assert heard.lines == []
    os.close(out)
    os.close(into)


def test_a_terminal_that_has_gone_is_the_end():
    ours, theirs = pty.openpty()
    heard = Heard()
    ear = Ear(theirs, heard)
    ear.start()
    os.close(ours)
    assert heard.over.wait()
    ear.close()
    os.close(theirs)
    assert heard.lines == [None]


class Reader:
    """Takes nothing until it is let."""

    def __init__(self):
        self.taken = b""
        self.asked = threading.Event()
        self.lets = threading.Event()

    def __call__(self, some):
        self.asked.set()
        self.lets.wait()
        self.taken += some[:3]
        return len(some[:3])


def test_what_is_too_much_is_counted_and_nobody_waits():
    reader = Reader()
    mouth = Mouth(reader, encoding="ascii", gone=lambda: None, most=3)
    mouth.start()
    mouth.write("a\n")
    assert reader.asked.wait()
    for letter in "bcdefg":
        mouth.write(f"{letter}\n")
    reader.lets.set()
    mouth.close()
    assert reader.taken == b"a\nb\nc\nd\n? 3 lines were too many for this terminal\n"


def test_whoever_reads_no_more_is_noticed():
    gone = threading.Event()
    out, into = os.pipe()
    os.close(out)

    def send(some):
        return os.write(into, some)

    mouth = Mouth(send, encoding="utf-8", gone=gone.set)
    mouth.start()
    mouth.write("hello\n")
    assert gone.wait()
    mouth.close()
    os.close(into)


class Talker:
    """Says back what it hears."""

    def __init__(self, talk):
        self.talk = talk
        self.left = asyncio.get_running_loop().create_future()

    def exit(self, left):
        if not self.left.done():
            self.left.set_result(left)

    async def run(self):
        while (line := await self.talk.speech.ask()) is not None:
            self.talk.speech.say(line)
        return "gone"


async def test_a_talk_over_pipes_has_no_prompt_and_says_all_before_it_ends():
    typed, into = os.pipe()
    heard, out = os.pipe()
    loop = asyncio.get_running_loop()
    talk = Talk(out=out, encoding="utf-8", typed=typed, loop=loop)
    os.write(into, b"one\ntwo\n")
    os.close(into)
    assert await talk.around(Talker(talk)) == "gone"
    os.close(out)
    assert os.read(heard, 100) == b"one\ntwo\n"
    os.close(heard)
    os.close(typed)


async def test_a_talk_that_nobody_reads_ends():
    heard, out = os.pipe()
    os.close(heard)
    talk = Talk(out=out, encoding="utf-8", typed=None, loop=asyncio.get_running_loop())
    talker = Talker(talk)
    talker.run = lambda: talker.left
    talk.speech.say("hello")
    assert await talk.around(talker) == "gone"
    os.close(out)


def test_a_table_is_as_wide_as_what_stands_in_it_and_no_wider_than_the_line():
    fields = (
        Field(id="name", title="NAME", width=6, cell=lambda each: each[0], flexible=True),
        Field(id="rows", title="ROWS", width=9, cell=lambda each: each[1], align="right"),
        Field(id="more", title="MORE", width=9, cell=lambda each: each[2], below=60),
    )
    rows = [("a", "1,000", ""), ("a very long name of a branch", "1", "x\x1b[2J")]
    assert table(fields, rows, 80, "…") == [
        "NAME                          ROWS MORE",
        "a                            1,000",
        "a very long name of a branch     1 x␛[2J",
    ]
    assert table(fields, rows, 20, "~") == [
        "NAME           ROWS",
        "a             1,000",
        "a very long ~     1",
    ]
