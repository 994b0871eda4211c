"""The checksum of a row: CRC-32 of the canonical JSON of its columns that are not NULL."""

import json
import zlib
from collections.abc import Mapping


def sum_of(row: Mapping[str, object]) -> int:
    """Of a row, whether or not it has its checksum already.

    Raises:
        TypeError: A column holds bytes, which nothing of ours does.
    """
    rest = {name: value for name, value in row.items() if name != "checksum" and value is not None}
    return zlib.crc32(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode())


def row_sum(*words: object) -> int:
    """Of names and values in turn; for migrations, as an SQL function."""
    return sum_of({str(name): value for name, value in zip(words[::2], words[1::2], strict=True)})
