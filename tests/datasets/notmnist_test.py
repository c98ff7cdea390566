"""notMNIST and the IDX files it comes in."""

import gzip
import hashlib
import os
import pathlib
import struct

import numpy as np
import pytest

from bbh_tf.datasets import idx
from bbh_tf.datasets import load_notmnist

_REAL = pathlib.Path(
    os.environ.get("BBH_TF_DATA_DIR", "../shared/data/tfds")
).parent.joinpath("notmnist")


def _images(count=3, magic=0x0803):
    header = struct.pack(">4I", magic, count, 28, 28)
    pixels = bytes(range(256)) * (count * 28 * 28 // 256 + 1)
    return header + pixels[: count * 28 * 28]


def _write(folder, images=None, labels=None, name="t10k-images-idx3-ubyte"):
    if images is not None:
        (folder / name).write_bytes(images)
    if labels is not None:
        (folder / "t10k-labels-idx1-ubyte").write_bytes(labels)


def _labels(values):
    return struct.pack(">2I", 0x0801, len(values)) + bytes(values)


def _fake(folder, values=None, count=10000):
    values = [i % 10 for i in range(count)] if values is None else values
    _write(folder, _images(count), _labels(values))


def test_real_files():
    if not _REAL.is_dir():
        pytest.skip(f"no notMNIST at {_REAL}")
    images, labels = load_notmnist(_REAL)
    assert images.shape == (10000, 28, 28, 1)
    assert images.dtype == np.float32
    assert images.mean() == pytest.approx(0.426624, abs=1e-5)
    np.testing.assert_array_equal(np.bincount(labels), [1000] * 10)


def test_real_files_are_the_published_ones():
    if not _REAL.is_dir():
        pytest.skip(f"no notMNIST at {_REAL}")
    from bbh_tf.datasets import notmnist_builder

    for name, digest in notmnist_builder.SHA256.items():
        idx.check_sha256(_REAL / name, digest)


def test_builder_prepares_what_the_files_hold(tmp_path, monkeypatch):
    if not _REAL.is_dir():
        pytest.skip(f"no notMNIST at {_REAL}")
    from bbh_tf.datasets import notmnist_builder

    monkeypatch.setattr(
        notmnist_builder, "_download", lambda manager, name: _REAL / name
    )
    builder = notmnist_builder.NotMNIST(data_dir=tmp_path)
    builder.download_and_prepare()
    assert builder.info.splits["test"].num_examples == 10000
    prepared, _ = load_notmnist(tmp_path)
    direct, _ = load_notmnist(_REAL)
    np.testing.assert_allclose(
        np.sort(prepared.mean((1, 2, 3))), np.sort(direct.mean((1, 2, 3)))
    )


def test_next_mirror_is_tried_and_damage_is_refused(tmp_path, monkeypatch):
    from bbh_tf.datasets import notmnist_builder as builder

    (tmp_path / "bad").write_bytes(b"damaged")
    (tmp_path / "good").write_bytes(b"whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    monkeypatch.setitem(builder.SHA256, "file", digest)
    monkeypatch.setattr(builder, "_MIRRORS", ("first/", "second/"))

    class Manager:
        def __init__(self, found):
            self.found = found

        def download(self, url):
            return self.found[url]

    found = {"first/file": tmp_path / "bad", "second/file": tmp_path / "good"}
    assert builder._download(Manager(found), "file") == tmp_path / "good"
    found["second/file"] = tmp_path / "bad"
    with pytest.raises(OSError, match="from any mirror.*SHA-256"):
        builder._download(Manager(found), "file")


def test_plain_and_gzipped_files_are_alike(tmp_path):
    content = _images()
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "zipped.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(
        idx.read_images(tmp_path / "plain"),
        idx.read_images(tmp_path / "zipped.gz"),
    )


def test_fake_folder_of_the_right_form_is_read(tmp_path):
    _fake(tmp_path)
    images, labels = load_notmnist(tmp_path)
    assert images.max() == 1.0
    assert labels[11] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_images()[:9], "expected an IDX header of 16 bytes, got 9"),
        (_images()[:-1], "expected 3 x 28 x 28 bytes after the header"),
        (_images(magic=7), "expected an IDX file of images"),
        (gzip.compress(_images())[:-9], "cut short or damaged"),
        (b"\x1f\x8b" + b"x" * 50, "cut short or damaged"),
        (b"", "expected an IDX header"),
    ],
    ids=["header", "short", "magic", "short_gzip", "no_gzip", "empty"],
)
def test_damaged_files_are_named(tmp_path, content, message):
    (tmp_path / "images").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        idx.read_images(tmp_path / "images")
    assert str(tmp_path / "images") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="found neither"):
        load_notmnist(tmp_path)


def test_too_few_images_are_refused(tmp_path):
    _fake(tmp_path, count=20)
    with pytest.raises(ValueError, match="expected 10000 images"):
        load_notmnist(tmp_path)


def test_mnist_in_its_place_is_refused(tmp_path):
    # MNIST's test file has 980 zeros.
    _fake(tmp_path, [0] * 980 + [i % 10 for i in range(9020)])
    with pytest.raises(ValueError, match="is this MNIST"):
        load_notmnist(tmp_path)
