"""Layer CSVs: round trips, and every mistake told by file, line and column."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imcevo.errors import UserError
from imcevo.workload import (
    Layer,
    Network,
    csvfile,
    load_network,
    network_names,
    read_network_csv,
    write_network_csv,
)

EXAMPLE = [line.strip() for line in (csvfile.__doc__ or "").splitlines() if line.startswith("    ")]


def written(tmp_path, text: str | bytes):
    file = tmp_path / "mine.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("name", network_names())
def test_round_trip(name, tmp_path):
    network = load_network(name)
    write_network_csv(network, tmp_path / "copy.csv")
    copy = read_network_csv(tmp_path / "copy.csv")
    assert copy.layers == network.layers
    assert (copy.name, copy.family, copy.description) == (name, network.family, network.description)


def test_documented_example(tmp_path):
    network = read_network_csv(written(tmp_path, "\n".join(EXAMPLE)))
    assert (network.name, network.family, network.description) == ("mine", "cnn", "")
    assert [layer.name for layer in network.layers] == ["conv", "relu", "fc"]
    assert network.layers[0] == Layer(
        "conv", C=3, M=16, P=16, Q=16, R=3, S=3, stride_h=2, stride_w=2, pad_h=1, pad_w=1, H=32, W=32,
        from_dram=True,
    )  # fmt: skip
    assert network.layers[1].ops == 4096
    assert network.layers[2].to_dram


def test_comments_blank_lines_and_spaces(tmp_path):
    text = "# made by hand: see below\n#name: tiny\n\n name , C,M\n# in between\n fc , 4, 2\n\n"
    network = read_network_csv(written(tmp_path, text))
    assert network.name == "tiny"
    assert network.layers == (Layer("fc", C=4, M=2),)


def test_shared_weights_round_trip(tmp_path):
    text = "name,kind,C,M,P,stored_as\ntable,lookup,,32,4,E.T\nfirst,,32,32,,W:0\nsecond,,32,32,,W:0\nlast,,32,32,,\n"
    network = read_network_csv(written(tmp_path, text))
    assert [layer.stored_as for layer in network.layers] == ["E.T", "W:0", "W:0", ""]
    assert (network.array_weights, network.parameters) == (2 * 1024, 2 * 1024)  # the table says nothing of its rows
    write_network_csv(network, tmp_path / "copy.csv")
    assert read_network_csv(tmp_path / "copy.csv").layers == network.layers
    slices = Layer("a", C=32, M=20), Layer("b", C=32, M=20, shared_weights=256)
    write_network_csv(Network("slices", "other", "", slices), tmp_path / "slices.csv")
    assert read_network_csv(tmp_path / "slices.csv").layers == slices
    plain = Network("plain", "other", "", (Layer("fc", C=4, M=2),))
    write_network_csv(plain, tmp_path / "plain.csv")
    assert "stored_as" not in (tmp_path / "plain.csv").read_text()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,matrix,1,W", "line 2: stored_as: 'W' names a stored tensor for a layer that has none .*not dynamic"),
        ("a,elementwise,,W", "line 2: stored_as: 'W' names a stored tensor for a layer that has none"),
        ('a,matrix,,"W,2"', "line 2: stored_as: 'W,2' is not the name of a tensor .*up to 120 letters"),
    ],
)
def test_bad_shared_weights(row, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_network_csv(written(tmp_path, f"name,kind,dynamic,stored_as\n{row}\n"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("fc,x,2,,,,", "line 2: C: 'x' is not a whole number"),
        ("fc,1.5,2,,,,", "line 2: C: '1.5' is not a whole number"),
        ("fc,nan,2,,,,", "line 2: C: 'nan' is not a whole number"),
        ("fc,0,2,,,,", "line 2: C: 0 is out of range"),
        ("fc,-32,2,,,,", "line 2: C: -32 is out of range"),
        ("fc,2147483648,2,,,,", "line 2: C: 2147483648 is out of range"),
        (f"fc,{'9' * 5000},2,,,,", "is not a whole number"),
        (",4,2,,,,", "line 2: name: '' is not a layer name"),
        ('"a,b",4,2,,,,', "line 2: name: 'a,b' is not a layer name"),
        ("fc,4,2,conv,,,", "line 2: kind: 'conv' is not a known kind .*matrix"),
        ("fc,4,2,,yes,,", "line 2: dynamic: 'yes' is neither 0 nor 1"),
        ("fc,4,2,,,relo,", "line 2: statistics: 'relo' is not a known statistics; did you mean 'relu'"),
        ("fc,4,2,,,,-2", "line 2: parameters: -2 is negative"),
        ("fc,4,2,,,", "line 2: .* has 6 cells, the header has 7"),
        ('fc,"4,2,,,,', "line 2: .* is not a line of a CSV"),
        ("fc,2000000000,2000000000,,,,", "line 2: 4000000000000000000 are the macs of layer 'fc' .*2\\^53"),
    ],
)
def test_bad_cells(row, message, tmp_path):
    file = written(tmp_path, f"name,C,M,kind,dynamic,statistics,parameters\n{row}\n")
    with pytest.raises(UserError, match=message) as caught:
        read_network_csv(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no layers"),
        ("name,C\n", "has no layers"),
        ("name,Chanels\nfc,3\n", "line 1: 'Chanels' is not a known column"),
        ("name,C,stride\nfc,3,1\n", r"did you mean 'stride_[hw]'"),
        ("name,C,C\nfc,3,3\n", "line 1: column: 'C' is there twice"),
        ("C,M\n3,3\n", "line 1: 'C,M' has no column 'name'"),
        ("name,C\nfc,3\nfc,3\n", "line 3: name: 'fc' names an earlier layer too"),
        ("# family: mlp\nname,C\nfc,3\n", "family: 'mlp' is not a family"),
        (b"\xff\xfe\x00binary\x00", "is not UTF-8 text, expected a network's layer CSV"),
    ],
)
def test_bad_files(text, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_network_csv(written(tmp_path, text))


def test_bounded_size(tmp_path, monkeypatch):
    file = written(tmp_path, "name\n" + "".join(f"layer{i}\n" for i in range(4)))
    monkeypatch.setattr(csvfile, "MOST_LAYERS", 3)
    with pytest.raises(UserError, match=r"has too many layers .*at most 3"):
        read_network_csv(file)
    monkeypatch.setattr(csvfile, "LARGEST_CSV_BYTES", 10)
    with pytest.raises(UserError, match="bytes large"):
        read_network_csv(file)


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "none.csv")) + ": no such file"):
        read_network_csv(tmp_path / "none.csv")
    with pytest.raises(UserError, match="is a directory"):
        read_network_csv(tmp_path)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("P=56", "P: 56 does not follow from H = 1"),
        ("P=10,H=8,R=3,pad_h=1", "P: 10 does not follow from H = 8, R = 3, stride_h = 1, pad_h = 1 .*7 to 9"),
        ("P=1,H=8,R=3", "P: 1 does not follow"),
        ("Q=4,W=8,S=3", "Q: 4 does not follow from W = 8, S = 3, stride_w = 1, pad_w = 0 .*6 to 8"),
        ("P=3,H=2,R=1,pad_h=1", "pad_h: 1 pads whole windows"),
        ("R=4097,H=4097", "R: 4097 is out of range"),
    ],
)
def test_sizes_must_agree(sizes, message, tmp_path):
    given_sizes = dict(pair.split("=") for pair in sizes.split(","))
    header, row = ",".join(["name", *given_sizes]), ",".join(["conv", *given_sizes.values()])
    with pytest.raises(UserError, match=message):
        read_network_csv(written(tmp_path, f"{header}\n{row}\n"))


@given(
    H=st.integers(1, 64),
    R=st.integers(1, 7),
    stride=st.integers(1, 4),
    before=st.integers(0, 6),
    after=st.integers(0, 6),
)
def test_sizes_of_any_convolution_are_accepted(H, R, stride, before, after):
    """A framework's output size, padding within a window on both sides, is never refused."""
    before, after = before % R, after % R
    span = H + before + after - R
    if span < 0:
        return
    layer = Layer("conv", C=2, M=2, P=span // stride + 1, R=R, stride_h=stride, pad_h=before, H=H)
    csvfile._check(layer, csvfile.Path("x.csv"), "line 2")


@given(text=st.text(max_size=80))
def test_any_text_gives_a_network_or_one_line(text, tmp_path_factory):
    file = tmp_path_factory.mktemp("csv") / "any.csv"
    file.write_bytes(("name,C,kind\n" + text).encode(errors="surrogatepass"))
    try:
        network = read_network_csv(file)
    except UserError as error:
        told = str(error)
    else:
        assert network.layers
        return
    assert told.startswith(str(file))
    assert "\n" not in told


def test_writer_refuses_what_the_reader_would(tmp_path):
    file = tmp_path / "out.csv"
    with pytest.raises(UserError, match="'a b' is not a layer name"):
        write_network_csv(Network("n", "other", "", (Layer("a b", C=2, M=2),)), file)
    assert not file.exists()
    with pytest.raises(UserError, match="cannot be written"):
        write_network_csv(Network("n", "other", "", (Layer("fc", C=2, M=2),)), tmp_path / "absent" / "x.csv")
