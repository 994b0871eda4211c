"""Which parts a destination is made from."""

import pytest

from etltui.domain.job import CsvOptions, Destination, ExcelOptions
from etltui.domain.variants import part_variants, text_variant


@pytest.mark.parametrize(
    ("path", "variant"),
    [("a.csv", ""), ("a.csv.gz", "gzip"), ("A.GZ", "gzip"), ("gz", ""), ("a.gz/b.csv", "")],
)
def test_a_csv_destination_has_one_variant(path, variant):
    assert text_variant(path) == variant
    destination = Destination(type="csv", path=path, options=CsvOptions())
    assert part_variants(destination) == (variant,)


@pytest.mark.parametrize(
    ("layout", "variants"),
    [("sheets", ("sheets",)), ("single", ("single",)), ("both", ("sheets", "single"))],
)
def test_a_workbook_has_a_variant_for_each_kind_of_sheet(layout, variants):
    destination = Destination(type="excel", path="a.xlsx", options=ExcelOptions(layout=layout))
    assert part_variants(destination) == variants
