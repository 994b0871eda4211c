"""Makes the demo's databases: one SQLite file a branch, filled with believable sales.

The same seed gives the same bytes with the same Python and SQLite. A file appears only when it is
whole, so a making that was interrupted goes on where it stopped.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

_VERSION = 1
"""Of the recipe: raised when the same seed gives other rows, so that old demos are made again."""
_FIRST_DAY = date(2026, 11, 1)
_DAYS = 21
_CUSTOMERS = 400
_MARKER = "demo.json"
_UNFINISHED = ".demo.making.json"

_TABLE = """
CREATE TABLE sales (
    bill_id INTEGER PRIMARY KEY,
    bill_no TEXT NOT NULL,
    sale_date DATE NOT NULL,
    sold_at TIMESTAMP NOT NULL,
    quantity DECIMAL(10,3) NOT NULL,
    price DECIMAL(12,2) NOT NULL,
    tax DECIMAL(12,2) NOT NULL,
    customer TEXT NOT NULL,
    gstin TEXT NOT NULL,
    hsn TEXT,
    paid BOOLEAN NOT NULL,
    discount REAL
)
"""
_INSERT = "INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_GIVEN = (
    *("Aarav", "Diya", "Ishaan", "Kavya", "Rohan", "Meera", "Zoya", "Joseph", "Harpreet", "Renée"),
    *("आरव", "दिया", "प्रिया", "राजेश"),
    *("கார்த்திக்", "மீனாட்சி", "செல்வி"),
    *("অনির্বাণ", "শ্রেয়া", "দেবাশিস"),
    *("محمد", "فاطمہ", "زینب"),
    *("李雷", "王芳", "陳美玲"),
    *("ગીતા", "ਗੁਰਪ੍ਰੀਤ", "లక్ష్మి", "അനിൽ"),
)
_FAMILY = (
    *("Sharma", "Iyer", "D'Souza", "Khan", "Patel", "Nair", "Banerjee", "Singh", "O'Brien"),
    *("शर्मा", "वर्मा", "सुब्रमण्यम", "முருகன்", "চট্টোপাধ্যায়", "خان", "张"),
)
_FIRMS = (
    'Anand "Bhai" Traders, Surat',
    "Gupta & Sons, Chandni Chowk",
    "<Star> Mobiles; Pune",
    "Line 1\nLine 2 Stores",
    "=1+1",
    "+91 98200 00000",
    "-Walk-in-",
    "@Home Furnishings",
    "007 Agencies",
    "Café Ünïcode, Müller & Søn",
    "श्री गणेश भंडार, इंदौर",
    "சரவணா ஸ்டோர்ஸ், சென்னை",
    "মা তারা ভাণ্ডার",
    "مكتبة النور",
    "上海小吃店",
    "🪔 Diwali Gifts 🎁",
)
_STATES = ("07", "09", "19", "22", "24", "27", "29", "32", "33", "36")
_HSN = ("0902", "04061000", "0713", "01012100", "10063020", "30049099", "61091000", "85171300")
_GST_RATES = (0, 5, 12, 18, 28)
_DISCOUNTS = (None, None, None, 2.5, 5.0, 7.25, 10.0, 12.5, 33.333333333333336)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _ALPHABET[10:]


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """What a folder's demo was made from; equal values hold equal rows."""

    seed: int
    branches: int
    rows: int
    version: int = _VERSION

    def file(self, folder: Path, branch: int) -> Path:
        """The database of a branch, counted from 1."""
        return folder / "data" / f"branch_{branch:03d}.db"


def existing(folder: Path) -> Demo | None:
    """The finished demo in a folder, None if there is none or a file of it is missing."""
    demo = _marked(folder / _MARKER)
    if demo is None:
        return None
    whole = all(demo.file(folder, branch).is_file() for branch in range(1, demo.branches + 1))
    return demo if whole else None


def make(folder: Path, *, branches: int, rows: int, seed: int) -> None:
    """Make the demo's databases in `folder/data`, or what is still missing of them.

    Another demo in the same folder is replaced.

    Raises:
        FileExistsError: A database of that name is there that no demo has made.
    """
    demo = Demo(seed=seed, branches=branches, rows=rows)
    markers = (folder / _MARKER, folder / _UNFINISHED)
    before = [found for marker in markers if (found := _marked(marker)) is not None]
    first = demo.file(folder, 1)
    if not before and first.exists():
        raise FileExistsError(f"{first} exists and is not of a demo; choose another folder")
    if any(found != demo for found in before):
        _clear(folder, max(found.branches for found in before))
    first.parent.mkdir(parents=True, exist_ok=True)
    _write(folder / _UNFINISHED, demo)
    for branch in range(1, branches + 1):
        path = demo.file(folder, branch)
        if not path.exists():
            _make_branch(path, demo, branch)
    _write(folder / _MARKER, demo)
    (folder / _UNFINISHED).unlink()


def _marked(marker: Path) -> Demo | None:
    """What a marker file says, None where it is missing or unreadable."""
    try:
        said = json.loads(marker.read_text(encoding="utf-8"))
        return Demo(**{name: int(value) for name, value in said.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write(marker: Path, demo: Demo) -> None:
    temporary = marker.with_name(f"{marker.name}.tmp")
    temporary.write_text(json.dumps(asdict(demo)) + "\n", encoding="utf-8")
    temporary.replace(marker)


def _clear(folder: Path, branches: int) -> None:
    """Remove another demo's files, its finished mark first."""
    (folder / _MARKER).unlink(missing_ok=True)
    other = Demo(seed=0, branches=branches, rows=0)
    for branch in range(1, branches + 1):
        other.file(folder, branch).unlink(missing_ok=True)


def _make_branch(path: Path, demo: Demo, branch: int) -> None:
    """Write one database beside its place, then put it there."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as db:
            db.execute("PRAGMA page_size = 4096")
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute(_TABLE)
            db.execute("BEGIN")
            db.executemany(_INSERT, _sales(demo, branch))
            db.execute("COMMIT")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sales(demo: Demo, branch: int) -> Iterator[tuple[object, ...]]:
    """The rows of a branch: drawn column by column, which is several times faster than by row."""
    random = Random(f"{demo.seed}-{branch}")  # noqa: S311 - believable, not secret
    rows = demo.rows
    buyers = [(_customer(random), _gstin(random)) for _ in range(_CUSTOMERS)]
    goods = [_good(random) for _ in range(500)]
    days = [str(_FIRST_DAY + timedelta(days=day)) for day in range(_DAYS)]
    seconds = sorted(random.choices(range(9 * 3600, 22 * 3600), k=2000))
    clock = [f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds]
    drawn = zip(
        random.choices(range(len(clock)), k=rows),
        random.choices(goods, k=rows),
        random.choices(buyers, k=rows),
        random.choices((1, 1, 1, 2, 3, 6, 12), k=rows),
        random.choices((1, 1, 1, 0), k=rows),
        random.choices(_DISCOUNTS, k=rows),
        strict=True,
    )
    for number, (moment, good, buyer, count, paid, discount) in enumerate(drawn, 1):
        day = days[(number - 1) * _DAYS // rows]
        thousandths, paise, percent, hsn = good
        total = count * thousandths * paise * percent
        yield (
            number,
            f"B{branch:03d}/26/{number:06d}",
            day,
            day + clock[moment],
            count * thousandths / 1000,
            paise / 100,
            (total + 50_000) // 100_000 / 100,
            buyer[0],
            buyer[1],
            hsn,
            paid,
            discount,
        )


def _customer(random: Random) -> str:
    """A person in most cases; now and then a firm whose name is hard on file formats."""
    if random.random() < 0.1:
        return random.choice(_FIRMS)
    return f"{random.choice(_GIVEN)} {random.choice(_FAMILY)}"


def _good(random: Random) -> tuple[int, int, int, str | None]:
    """Thousandths of a unit, paise a unit, percent of tax, HSN code."""
    loose = random.random() < 0.3
    return (
        random.randrange(50, 5000) if loose else 1000,
        random.randrange(500, 250_000) if loose else random.randrange(10, 2500) * 50,
        random.choice(_GST_RATES),
        random.choice(_HSN) if random.random() < 0.9 else None,
    )


def _gstin(random: Random) -> str:
    """A well-formed GST number: state, PAN, entity, Z, check character."""
    pan = "".join(random.choices(_LETTERS, k=3)) + random.choice("PCHF") + random.choice(_LETTERS)
    pan += f"{random.randrange(10_000):04d}{random.choice(_LETTERS)}"
    body = f"{random.choice(_STATES)}{pan}{random.choice('12')}Z"
    return body + gstin_check(body)


def gstin_check(body: str) -> str:
    """The check character of a GST number's first 14: Luhn's sum over 36 characters."""
    total = 0
    for place, character in enumerate(body):
        product = _ALPHABET.index(character) * (1 + place % 2)
        total += product // 36 + product % 36
    return _ALPHABET[-total % 36]
