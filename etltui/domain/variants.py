"""Which kinds of part a destination is made from; most have one, with an empty name."""

from etltui.domain import naming
from etltui.domain.job import CsvOptions, Destination


def csv_variant(path: str) -> str:
    """The variant of a CSV destination's parts: `gzip` where its path ends in `.gz`, else empty."""
    return "gzip" if path.lower().endswith(".gz") else ""


def part_variants(destination: Destination) -> tuple[str, ...]:
    """The variants that every connection writes for a destination."""
    if isinstance(destination.options, CsvOptions):
        return (csv_variant(destination.path),)
    return naming.part_variants(destination.options)
