"""What the local file says of connections and jobs that are described elsewhere."""

import pytest

from unit.config.config_desk import BASE

LISTED = "name,url,tags\nc,sqlite:///c.db,south;pilot\n"
PLAIN = BASE.format(more="", options="")


@pytest.fixture
def fleet(desk):
    """Two connections in the configuration, one in the connections file, and a local file."""

    def loaded(local, text=PLAIN):
        desk.write(LISTED, "fleet.csv").write(local, "etltui.local.toml")
        return desk.load('[settings]\nconnections_file = "fleet.csv"\n' + text)

    return loaded


def tags(config):
    return {each.name: each.tags for each in config.connections}


def test_tags_of_the_local_file_take_the_place_of_those_of_either_source(fleet):
    config = fleet(
        """
        [connections.a]
        tags = ["west"]
        [connections.c]
        tags = []
        """,
    )
    assert tags(config) == {"a": ("west",), "b": (), "c": ()}
    assert config.strays == ()
    assert [each.url for each in config.connections][2] == "sqlite:///c.db"


def test_a_whole_connection_may_stand_in_the_local_file(fleet):
    config = fleet('[connections.d]\nurl = "sqlite:///d.db"\ntags = ["new"]')
    assert tags(config)["d"] == ("new",)
    assert config.strays == ()


def test_what_is_not_there_any_more_is_told_and_refuses_nothing(fleet):
    config = fleet('[connections."x y"]\ntags = ["a"]\n[jobs.gone]\nenabled = false')
    assert config.strays == ('connections."x y"', "jobs.gone")
    assert list(config.jobs) == ["j"]


def test_without_the_connections_file_nothing_is_told(desk):
    desk.write(PLAIN).write("[connections.c]\ntags = []", "etltui.local.toml")
    assert desk.load().strays == ("connections.c",)


@pytest.mark.parametrize("key", ["connections.a", "connections.c"])
def test_wrong_tags_are_a_mistake_of_the_local_file(desk, key):
    desk.write(LISTED, "fleet.csv").write(f'[{key}]\ntags = ["x", "x"]', "etltui.local.toml")
    found, words = desk.mistake('[settings]\nconnections_file = "fleet.csv"\n' + PLAIN)
    assert found == f"{key}.tags"
    assert 'names "x" twice' in words


def test_a_job_may_be_taken_out_of_service(fleet):
    assert fleet("[jobs.j]\nenabled = false").jobs["j"].enabled is False
    assert fleet("[jobs.j]\nenabled = true").jobs["j"].enabled is True


def test_a_table_of_the_operators_own_file_must_be_whole(desk):
    found = desk.mistakes(PLAIN + "[connections.x]\ntags = []\n[jobs.y]\nenabled = true\n")
    assert {"connections.x.url", "jobs.y.connections"} <= {key for key, _ in found}


def test_what_is_no_table_is_a_mistake_as_ever(desk):
    assert desk.mistake("connections = 3")[0] == "connections"
    assert desk.mistakes("[jobs]\nj = 3")[0][0] == "jobs.j"
