"""Gzip members: their bytes depend on their content only."""

import gzip
import importlib
import random
import sys
import zlib

import pytest

from etltui.writers import gzip_member
from etltui.writers.gzip_member import GzipMember, default_compressor, stored_member

MIB = 1 << 20
CONTENT = b"".join(b"%d,%d\n" % (n, n * 2654435761 % 2**32) for n in range(250_000))


def _member(pieces, compressor):
    made = []
    member = GzipMember(made.append, compressor)
    for piece in pieces:
        member.write(piece)
    member.close()
    assert (member.crc, member.bytes) == (zlib.crc32(b"".join(pieces)), sum(map(len, pieces)))
    return b"".join(made)


def _cut(sizes):
    pieces, position = [], 0
    while position < len(CONTENT):
        size = next(sizes)
        pieces.append(CONTENT[position : position + size])
        position += size
    return pieces


@pytest.mark.parametrize("compressor", ["isal-1", "zlib-1", "zlib-0"])
def test_the_bytes_do_not_depend_on_the_sizes_of_writes(compressor):
    whole = _member([CONTENT], compressor)
    assert gzip.decompress(whole) == CONTENT
    rng = random.Random(4)
    for low, high in ((MIB, MIB), (MIB - 1, MIB - 1), (MIB + 1, MIB + 1), (1, 3 * MIB), (1, 9999)):
        assert (
            _member(_cut(iter(lambda a=low, b=high: rng.randint(a, b), None)), compressor) == whole
        )


def test_nothing_is_a_member_too():
    assert gzip.decompress(_member([], "zlib-1")) == b""
    assert gzip.decompress(_member([b"", b""], "zlib-1")) == b""


def test_a_stored_member_holds_its_content_as_it_is():
    made = stored_member(b"a,b\n")
    assert gzip.decompress(made) == b"a,b\n"
    assert made == bytes.fromhex("1f8b08000000000000ff010400fbff") + b"a,b\n" + made[-8:]


def test_without_isal_zlib_is_the_default():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "isal", None)
        importlib.reload(gzip_member)
        assert gzip_member.default_compressor() == "zlib-1"
    importlib.reload(gzip_member)
    assert default_compressor() in {"isal-1", "zlib-1"}
