"""The datasets: what they load, what they refuse, and that equal data has one fingerprint."""

import subprocess
import sys

import pandas as pd
import pytest

from tunesmith.errors import ConfigError
from tunesmith.plugins import installed
from tunesmith_sklearn import Bundled, Csv, Parquet


def refusal(dataset, folder) -> str:
    with pytest.raises(ConfigError) as caught:
        dataset.load(folder)
    return str(caught.value)


@pytest.mark.parametrize("loader", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_bundled_data_has_names_and_needs_no_network(loader, tmp_path):
    table = Bundled(loader=loader).load(tmp_path)
    assert table.x.shape[0] == table.y.shape[0] > 100
    assert all(isinstance(name, str) for name in table.x.columns)


def test_breast_cancer_has_its_real_column_names(tmp_path):
    assert "mean radius" in Bundled(loader="breast_cancer").load(tmp_path).x.columns


@pytest.mark.parametrize("loader", ["breast_cance", "fetch_openml", "linnerud"])
def test_unknown_bundled_data_is_refused(loader, tmp_path):
    message = refusal(Bundled(loader=loader), tmp_path)
    assert message.startswith(f"scikit-learn brings no dataset '{loader}'")
    assert "breast_cancer" in message


def test_csv_takes_all_columns_but_the_target(people):
    table = Csv(path="people.csv", target="label").load(people)
    assert list(table.x.columns) == ["height", "rank", "colour"]
    assert table.y.tolist()[:3] == [0, 1, 0]


def test_text_stays_text(people):
    table = Csv(path="people.csv", target="label").load(people)
    assert table.x["colour"].tolist()[:2] == ["blue", "red"]


def test_features_are_taken_in_their_order_and_drop_leaves_out(people):
    chosen = Csv(path="people.csv", target="label", features=("rank", "height")).load(people)
    dropped = Csv(path="people.csv", target="label", drop=("colour",)).load(people)
    assert list(chosen.x.columns) == ["rank", "height"]
    assert list(dropped.x.columns) == ["height", "rank"]


def test_another_separator(people):
    text = (people / "people.csv").read_text()
    (people / "tabs.tsv").write_text(text.replace(",", "\t"))
    table = Csv(path="tabs.tsv", target="label", separator="\t").load(people)
    assert list(table.x.columns) == ["height", "rank", "colour"]


def test_a_missing_file_is_refused_with_the_closest_name(people):
    message = refusal(Csv(path="peple.csv", target="label"), people)
    assert message == f"there is no data file '{people}/peple.csv'; did you mean 'people.csv'?"


def test_a_missing_column_is_refused_with_the_closest_name_and_all_there_are(people):
    message = refusal(Csv(path="people.csv", target="lable"), people)
    assert message == (
        "'people.csv' has no column 'lable'; did you mean 'label'? "
        "(columns: height, rank, colour, label)"
    )
    assert "no column 'size' (columns:" in refusal(
        Csv(path="people.csv", target="label", features=("size",)), people
    )


def test_rows_without_a_target_are_counted(people):
    (people / "gaps.csv").write_text("a,label\n1,0\n2,\n3,\n")
    message = refusal(Csv(path="gaps.csv", target="label"), people)
    assert message == "2 of 3 rows in 'gaps.csv' have no 'label'; remove them from the file"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"features": ("rank",), "drop": ("colour",)}, "exclude each other"),
        ({"features": ("label", "rank")}, "'label' is the target"),
        ({"drop": ("label",)}, "'label' is the target"),
        ({"drop": ("height", "rank", "colour")}, "has 40 rows and 0 features left"),
    ],
)
def test_columns_that_contradict_one_another_are_refused(people, options, says):
    assert says in refusal(Csv(path="people.csv", target="label", **options), people)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "cannot read"), ("a,b\n1,2\n3,4,5,6\n", "cannot read"), ("a,b\n", "0 row")],
)
def test_files_that_hold_no_table_are_refused(tmp_path, text, says):
    (tmp_path / "bad.csv").write_text(text)
    assert says in refusal(Csv(path="bad.csv", target="a"), tmp_path)


def test_a_file_that_is_no_parquet_is_refused(people):
    assert "cannot read 'people.csv' as Parquet" in refusal(
        Parquet(path="people.csv", target="label"), people
    )


def test_parquet_and_csv_of_equal_content_are_the_same_data(people):
    pd.read_csv(people / "people.csv").to_parquet(people / "people.parquet")
    csv, parquet = (
        Csv(path="people.csv", target="label"),
        Parquet(path="people.parquet", target="label"),
    )
    assert csv.load(people).x.equals(parquet.load(people).x)
    assert csv.fingerprint(people) == parquet.fingerprint(people)


def test_the_fingerprint_changes_with_what_is_learnt_from(people):
    plain = Csv(path="people.csv", target="label").fingerprint(people)
    other = [
        Csv(path="people.csv", target="rank").fingerprint(people),
        Csv(path="people.csv", target="label", drop=("rank",)).fingerprint(people),
        Csv(path="people.csv", target="label", features=("rank", "height", "colour")).fingerprint(
            people
        ),
    ]
    text = (people / "people.csv").read_text()
    (people / "people.csv").write_text(text.replace("red", "rot", 1))
    other.append(Csv(path="people.csv", target="label").fingerprint(people))
    (people / "people.csv").write_text(text.replace("height", "size", 1))
    other.append(Csv(path="people.csv", target="label").fingerprint(people))
    assert len({plain, *other}) == 6


def test_the_fingerprint_does_not_change_with_how_the_file_is_written(people):
    plain = Csv(path="people.csv", target="label")
    before = plain.fingerprint(people)
    text = (people / "people.csv").read_text()
    (people / "moved.csv").write_text(text.replace(",", ";"), newline="\r\n")
    moved = Csv(path="moved.csv", target="label", separator=";")
    assert moved.fingerprint(people) == before


def test_the_fingerprint_is_the_same_in_every_process_and_on_every_machine(tmp_path):
    code = (
        "from pathlib import Path; from tunesmith_sklearn import Bundled;"
        "print(Bundled(loader='iris').fingerprint(Path()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == Bundled(loader="iris").fingerprint(tmp_path)
    assert done.stdout.startswith("7bb3d85dd778339d")


def test_lists_in_a_study_file_become_columns():
    table = {"use": "csv", "path": "a.csv", "target": "y", "features": ["a", "b"]}
    assert installed().build("dataset", table).features == ("a", "b")


def test_a_misspelt_option_is_refused_with_the_closest_name():
    with pytest.raises(ConfigError, match="did you mean 'separator'"):
        installed().build("dataset", {"use": "csv", "path": "a", "target": "y", "seperator": ";"})
