"""The table: cursor, selection, and which regions it has painted."""

from textual.app import App
from textual.geometry import Region

from etltui.config.themes import COLOURS, Theme
from etltui.console.cells import Column, Row, Styled
from etltui.console.glyphs import UNICODE
from etltui.console.palette import palette
from etltui.console.widgets.table import Table, nearest

COLUMNS = (
    Column(id="name", title="NAME", width=10, flexible=True),
    Column(id="rows", title="ROWS", width=8, align="right"),
)


class Screen(App):
    """Nothing but a table, which notes what it is asked to paint."""

    def __init__(self, rows=()):
        super().__init__()
        self.table = Noting(COLUMNS, palette(_theme(), colours=False), UNICODE)
        self.first = rows

    def compose(self):
        yield self.table

    def on_mount(self):
        self.table.show(self.first)


class Noting(Table):
    painted = ()

    def refresh(self, *regions, **how):
        self.painted = (*self.painted, *regions) if regions else (*self.painted, "all")
        return super().refresh(*regions, **how)


def _theme():
    return Theme(name="t", dark=True, ansi=True, **dict.fromkeys(COLOURS, "default"))


def rows(count, **changed):
    return [Row(key=str(n), cells=(f"row {n}", changed.get(f"r{n}", "1"))) for n in range(count)]


async def test_a_changed_cell_paints_its_own_span_and_nothing_else():
    app = Screen(rows(500))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        app.table.painted = ()
        app.table.show(rows(500, r3="2"))
        assert app.table.painted == (Region(31, 4, 8, 1),)
        app.table.painted = ()
        app.table.show(rows(500, r3="2", r400="7"))
        assert app.table.painted == ()


async def test_the_cursor_stays_on_its_row_wherever_that_goes():
    app = Screen(rows(5))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down", "down")
        assert app.table.key == "2"
        app.table.show([*rows(2), Row(key="new", cells=("n", "0")), *rows(5)[2:]])
        assert app.table.key == "2"
        app.table.show(rows(2))
        assert app.table.key == "1"
        app.table.show([])
        assert app.table.key == ""


async def test_the_cursor_skips_headings():
    lines = [Row(key="h", cells=("group",), heading=True), *rows(2)]
    app = Screen(lines)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert app.table.key == "0"
        await pilot.press("up")
        assert app.table.key == "0"
    assert nearest([lines[0]], 0) == -1


async def test_the_view_follows_the_cursor_to_both_ends():
    app = Screen(rows(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("G")
        assert app.table.key == "99"
        assert "row 99" in app.table.render_line(9).text
        await pilot.press("g")
        assert "row 0" in app.table.render_line(1).text
        await pilot.press("pagedown")
        assert app.table.key == "8"
        assert app.table.position == "9/100"


async def test_rows_are_selected_one_by_one_in_ranges_and_all():
    app = Screen(rows(6))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert app.table.keys == ("0",)
        await pilot.press("space", "j", "j", "V")
        assert app.table.keys == ("0", "1", "2", "3")
        await pilot.press("asterisk")
        assert len(app.table.keys) == 6
        await pilot.press("asterisk")
        assert app.table.chosen == set()


async def test_a_click_puts_the_cursor_there_and_the_wheel_moves_it():
    app = Screen(rows(50))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.click(offset=(5, 4))
        assert app.table.key == "3"
        await pilot.click(offset=(5, 0))
        assert app.table.key == "3"


async def test_an_empty_table_says_what_would_fill_it():
    app = Screen()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.empty = ("", "No jobs.")
        await pilot.pause()
        assert "No jobs." in app.table.render_line(2).text


async def test_a_shrunk_terminal_keeps_the_cursor_in_sight():
    app = Screen(rows(50))
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.press("pagedown")
        key = app.table.key
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        assert any(f"row {key}" in app.table.render_line(y).text for y in range(1, 6))


async def test_no_line_is_wider_than_the_table():
    wide = [Row(key="w", cells=(Styled("支店" * 30, "bad"), "12345678901"))]
    app = Screen(wide)
    async with app.run_test(size=(23, 6)) as pilot:
        await pilot.pause()
        assert all(app.table.render_line(y).cell_length == 23 for y in range(6))
