"""Copies a range of one file to the end of another with the cheapest call that both allow."""

import errno
import os
from collections.abc import Callable

from etltui.domain.errors import ErrorClass, Failure

Way = Callable[[int, int, int, int], int]
"""Copies up to `count` bytes from an offset of `source` to `target`'s position; tells how many."""

_BLOCK = 1 << 20
_AT_ONCE = 1 << 30
"""The kernel's calls take at most 2 GiB - 4 KiB."""

_NOT_THIS_WAY = {
    errno.EXDEV,  # two file systems
    errno.EINVAL,  # the file system has its own opinion, CIFS and NFS among them
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EACCES,  # some containers' seccomp filters
    errno.EBADF,  # O_APPEND
    errno.EIO,  # CIFS servers that promise server-side copies and cannot; reads tell a true one
    errno.ETXTBSY,
}


def by_file_range(source: int, target: int, offset: int, count: int) -> int:
    """In the kernel, without a copy where the file system can share extents."""
    return os.copy_file_range(source, target, min(count, _AT_ONCE), offset)


def by_sendfile(source: int, target: int, offset: int, count: int) -> int:
    """In the kernel, also from one file system to another."""
    return os.sendfile(target, source, offset, min(count, _AT_ONCE))


def by_reads(source: int, target: int, offset: int, count: int) -> int:
    """Through this process, at most 1 MiB."""
    return os.write(target, os.pread(source, min(count, _BLOCK), offset))


WAYS: tuple[Way, ...] = (by_file_range, by_sendfile, by_reads)


def copy_range(
    source: int,
    target: int,
    *,
    offset: int,
    length: int,
    ways: tuple[Way, ...] = WAYS,
) -> None:
    """Copy exactly `length` bytes from `offset` of `source` to the position of `target`.

    Both are descriptors without a buffer in front of them; the position of `source` stays, that
    of `target` moves on. A way that the file systems refuse is given up for the rest of the range,
    what it has copied stays.

    Args:
        source: Open for reading.
        target: Open for writing, not O_APPEND.
        offset: In `source`.
        length: In bytes.
        ways: What to try, the best first.

    Raises:
        Failure: Of class `corrupt`, the source ends too early.
        OSError: The last way met it.
    """
    done = 0
    for way in ways:
        last = way is ways[-1]
        while done < length:
            try:
                copied = way(source, target, offset + done, length - done)
            except OSError as error:
                if last or error.errno not in _NOT_THIS_WAY:
                    raise
                break
            if not copied:  # the end; or a file system whose files claim to be empty
                break
            done += copied
    if done < length:
        raise Failure(
            ErrorClass.CORRUPT,
            f"a part ended after {done:,} of {length:,} bytes",
            {"wanted": str(length), "copied": str(done)},
        )
