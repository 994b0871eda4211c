import pytest

from unit.csv.csv_kit import Kit


@pytest.fixture
def kit(tmp_path):
    return Kit(tmp_path)


@pytest.fixture
def lines(tmp_path):
    """The payload of one part with these options, as text."""
    made = iter(range(1000))

    def write(*batches, connection="B1", **options):
        kit = Kit(tmp_path / str(next(made)), options=options)
        receipt = kit.part(batches, connection=connection)
        return kit.payload(receipt).decode(options.get("encoding", "utf-8"))

    return write
