"""Reading free memory from made-up system files, and writing sizes."""

import pytest

from bbh_tf import memory

MEMINFO = "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable:    2000 kB\nX: 1\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Returns a function that writes the files that the module reads."""
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "cgroup")

    def write(meminfo=None, **cgroup):
        if meminfo is not None:
            (tmp_path / "meminfo").write_text(meminfo)
        for name, text in cgroup.items():
            (tmp_path / "cgroup").mkdir(exist_ok=True)
            (tmp_path / "cgroup" / f"memory.{name}").write_text(text)

    return write


def test_nothing_to_read(system):
    assert memory.available_bytes() is None
    memory.require(10**30, "a galaxy")


def test_system_alone(system):
    system(MEMINFO)
    assert memory.available_bytes() == 2000 * 1024


def test_system_without_the_line(system):
    system("MemTotal: 9000 kB\n")
    assert memory.available_bytes() is None


def test_group_alone(system):
    system(max="5000\n", current="1200\n")
    assert memory.available_bytes() == 3800


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("3000000\n", 1_000_000), ("9000000\n", 2000 * 1024)],
)
def test_the_smaller_of_both(system, limit, expected):
    system(MEMINFO, max=limit, current="2000000\n")
    assert memory.available_bytes() == expected


def test_group_without_a_limit(system):
    system(MEMINFO, max="max\n", current="77\n")
    assert memory.available_bytes() == 2000 * 1024


def test_group_beyond_its_limit(system):
    system(max="1000\n", current="1200\n")
    assert memory.available_bytes() == 0


def test_files_that_were_read_can_make_room(system):
    stat = "anon 5\ninactive_anon 7\ninactive_file 900\nactive_file 11\n"
    system(max="1000\n", current="1200\n", stat=stat)
    assert memory.available_bytes() == 700
    system(stat=stat.replace("900", "5000"))
    assert memory.available_bytes() == 1000
    system(stat="anon 5\n")
    assert memory.available_bytes() == 0


def test_this_machine_has_memory():
    available = memory.available_bytes()
    assert available is None or available > 10**6


def test_require(system):
    system(MEMINFO)
    memory.require(2_048_000, "just enough")
    with pytest.raises(MemoryError) as caught:
        memory.require(4_000_000_000, "a large thing; take a smaller one")
    assert str(caught.value) == (
        "4 GB are needed and 2.05 MB are free: a large thing; take a smaller "
        "one"
    )


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (512.0, "512 bytes"),
        (1000, "1 kB"),
        (123_456, "123 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (999_999, "1 MB"),
        (889_325_472, "889 MB"),
        (999_999_999, "1 GB"),
        (1.5e9, "1.5 GB"),
        (7e13, "70 TB"),
    ],
)
def test_format_bytes(num_bytes, text):
    assert memory.format_bytes(num_bytes) == text
