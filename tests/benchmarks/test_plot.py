from tests.benchmarks.conftest import result


def rows(*sides, **changes):
    return [result(size=f"{side}x{side}", median=str(side), **changes) for side in sides]


def test_a_line_is_of_one_model_and_tile_by_rising_size(load):
    measured = rows(1024, 512) + rows(512, 1024, 2048, tile="auto") + rows(256, model="conv+charm") + [result()]
    assert load("plot").series(measured, "decompress") == {
        "default (fresh), tile none": [(0.262144, 512.0), (1.048576, 1024.0)],
        "default (fresh), tile auto": [(0.262144, 512.0), (1.048576, 1024.0), (4.194304, 2048.0)],
    }


def test_without_sizes_nothing_is_drawn(load, tmp_path):
    assert not load("plot").draw([result()], "", path := tmp_path / "size.svg")
    assert not path.exists()


def test_the_same_results_are_the_same_file(load, tmp_path):
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        assert load("plot").draw(rows(256, 512), "title", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
