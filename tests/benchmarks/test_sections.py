from tests.benchmarks.conftest import result


def line(section, title):
    """Names and figures of the first line of a table."""
    head, _, first, *_ = section.split(f"**{title}**\n\n")[1].splitlines()
    return dict(zip(head.strip("| ").split(" | "), first.strip("| ").split(" | ")))


def sections_of(load, *rows):
    sections = load("sections")
    return [sections.section(*each) for each in sections.by_environment(rows).items()]


def test_each_environment_has_its_own_tables(load):
    first, second = sections_of(load, result(), result(tensorflow="2.17.1", median="3"))
    assert first.startswith(
        "### Some CPU, 2 cores, TensorFlow 2.14.1\n\nMatrix product: 100 to 100 GFLOP/s. Commits: abc."
    )
    assert [line(each, "Codecs")["decompress, s"] for each in (first, second)] == ["2", "3"]


def test_the_latest_result_of_one_thing_counts(load):
    (section,) = sections_of(load, result(date="2", median="7"), result(date="1", median="5"))
    assert line(section, "Codecs")["decompress, s"] == "7"


def test_quantities_of_one_task_are_one_line(load):
    memory = result(quantity="codec peak memory", unit="GiB", median="1.2345")
    (section,) = sections_of(load, memory, result(), result(quantity="encoded size", unit="bytes", median="123456"))
    assert section.count("| default |") == 1
    found = line(section, "Codecs")
    assert list(found)[-4:] == ["decompress, s", "encoded size, bytes", "codec peak memory, GiB", "GFLOP/s"]
    assert list(found.values())[-4:] == ["2", "123,456", "1.23", "100"]


def test_square_images_stand_apart_by_rising_size(load):
    rows = [result(size=size, tile=tile) for size in ("1024x1024", "256x256") for tile in ("auto", "")]
    (section,) = sections_of(load, *rows)
    assert "**Codecs**" not in section
    cells = [row.split(" | ")[2:5:2] for row in section.splitlines() if row.startswith("| default")]
    assert cells == [["256x256", "auto"], ["256x256", "none"], ["1024x1024", "auto"], ["1024x1024", "none"]]


def test_times_of_unsteady_machines_are_marked_and_memory_is_not(load):
    memory = result(quantity="codec peak memory", unit="GiB", median="1", rate_after="120")
    (section,) = sections_of(load, result(rate_after="120"), memory)
    found = line(section, "Codecs")
    assert (found["decompress, s"], found["codec peak memory, GiB"]) == ("2\\*", "1")


def test_every_measured_quantity_has_a_table(load):
    entropy = [result(quantity="encode rate", unit="symbols/s", median="2.5e6", model="conv+charm")]
    entropy.append(result(quantity="symbols", unit="symbols", median="123456", model="conv+charm"))
    start = [result(quantity="import lic, first use", median="4")]
    training = [result(quantity="training step", size="8x256x256")]
    (section,) = sections_of(load, *entropy, *start, *training, result(model="ms2020 over hzswq2021", unit="ratio"))
    assert line(section, "Entropy models")["encode rate, symbols/s"] == "2,500,000"
    assert line(section, "Entropy models")["symbols"] == "123,456"
    assert line(section, "Starting: whole processes")["import lic, first use, s"] == "4"
    assert line(section, "Training")["training step, s"] == "2"
    assert section.endswith("3.1 (baseline.csv).")
    assert "| ms2020 over" not in section
