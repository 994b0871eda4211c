"""Which kinds of part a destination is made from; most have one, with an empty name."""

from etltui.domain.job import Destination, ExcelOptions

_LAYOUTS = {"sheets": ("sheets",), "single": ("single",), "both": ("sheets", "single")}


def text_variant(path: str) -> str:
    """The variant of a text format's parts: `gzip` where the path ends in `.gz`, else empty."""
    return "gzip" if path.lower().endswith(".gz") else ""


def part_variants(destination: Destination) -> tuple[str, ...]:
    """The variants that every connection writes for a destination, in the order of the target."""
    if isinstance(destination.options, ExcelOptions):
        return _LAYOUTS[destination.options.layout]
    return (text_variant(destination.path),)
