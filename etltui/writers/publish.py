"""Puts an assembled target in its place, and holds parts against their receipts."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from etltui.config.disk import sync_folder
from etltui.domain.errors import ErrorClass, Failure
from etltui.domain.part import Published, Receipt
from etltui.writers.folder import deliver_folder
from etltui.writers.part import crc_of, disk_errors, verified


def deliver(temporary: str, target: str, published: Published | None) -> bool:
    """Rename what was assembled onto the target, durably; may be repeated after a crash.

    Args:
        temporary: A file or a folder, in the target's folder.
        target: Replaced if it is a file, or a folder that an earlier run has made; who may read
            and write it stays the same.
        published: What the temporary must be; None where it is taken as it is.

    Returns:
        True when the target is (or, where the temporary is gone, already was) what was
        published; False when it has to be assembled again, and the target is then untouched.

    Raises:
        Failure: Of class `disk` or `target`; the temporary file is still there.
    """
    source, final = Path(temporary), Path(target)
    with disk_errors(final, ErrorClass.TARGET):
        if source.is_dir() or (final.is_dir() and not source.exists()):
            return deliver_folder(source, final, published)
        if not source.exists():
            if published is None or not _is(final, published):
                return False
            # Who renamed it may have died, or failed, before the name was durable.
            sync_folder(final.parent)
            return True
        if published is not None and not _is(source, published):
            return False
        if final.exists() and not final.is_file():
            # Renaming onto a device would replace it for the whole machine.
            kind = "a folder" if final.is_dir() else "no regular file"
            raise Failure(
                ErrorClass.TARGET,
                f"{final} is {kind}; move it away or give the destination another path",
                {"path": str(final)},
            )
        if final.exists():
            with suppress(OSError):  # shares know no modes, or only their own
                source.chmod(final.stat().st_mode & 0o777)
        _rename(source, final, published)
        sync_folder(final.parent)
    return True


def _rename(source: Path, final: Path, published: Published | None) -> None:
    try:
        source.replace(final)
    except FileNotFoundError:
        # NFS: the answer was lost, and the call that was sent again found it done.
        if published is None or source.exists() or not _is(final, published):
            raise


def verify(folder: str, receipts: Sequence[Receipt]) -> tuple[bool, ...]:
    """For each receipt whether its part is there with the same footer, size and CRC."""
    return tuple(verified(Path(folder), receipt) for receipt in receipts)


def _is(path: Path, published: Published) -> bool:
    """Whether a file is what was published; the size is looked at before anything is read."""
    if not path.is_file() or path.stat().st_size != published.bytes:
        return False
    return crc_of(path, offset=0, length=published.bytes) == published.crc
