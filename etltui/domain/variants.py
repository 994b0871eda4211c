"""Which kinds of part a destination is made from; most have one, with an empty name."""

from etltui.domain.job import Destination, ExcelOptions

_LAYOUTS = {"sheets": ("sheets",), "single": ("single",), "both": ("sheets", "single")}


def csv_variant(path: str) -> str:
    """The variant of a CSV destination's parts: `gzip` where its path ends in `.gz`, else empty."""
    return "gzip" if path.lower().endswith(".gz") else ""


def part_variants(destination: Destination) -> tuple[str, ...]:
    """The variants that every connection writes for a destination, in the order of the target."""
    if isinstance(destination.options, ExcelOptions):
        return _LAYOUTS[destination.options.layout]
    return (csv_variant(destination.path),)
