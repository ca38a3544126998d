"""A file is used only in the version that DVC tracks, and the version is told."""

import hashlib
import pickle
import subprocess
import sys

import pytest

from tunesmith.errors import ConfigError, PluginError
from tunesmith.plugins import Registry

ROWS = "a,b,y\n1,2,0\n3,4,1\n"
MD5 = hashlib.md5(ROWS.encode()).hexdigest()
STAGE = """
stages:
  make:
    cmd: cp source.csv made.csv
    deps: [source.csv]
    outs: [made.csv]
"""


def test_a_tracked_file_is_read_and_its_version_told(any_project):
    any_project.add("data/train.csv")
    dataset = any_project.dataset()
    assert dataset.load(any_project.folder).y == ["0", "1"]
    told = dataset.version(any_project.folder)
    remote = {"remote": "storage", "url": str(any_project.remote)}
    assert told == {"path": "data/train.csv", "md5": MD5, **remote}


def test_a_missing_file_is_pulled(any_project):
    any_project.add("data/train.csv")
    any_project.dvc("push")
    any_project.lose("data/train.csv")
    assert any_project.dataset().load(any_project.folder).y == ["0", "1"]
    assert (any_project.folder / "data" / "train.csv").read_text() == ROWS


def test_a_missing_file_that_the_cache_has_needs_no_remote(project):
    project.add("data/train.csv")
    project.lose("data/train.csv", cache=False)
    assert project.dataset().load(project.folder).y == ["0", "1"]


def test_a_missing_file_is_an_error_where_nothing_may_be_pulled(project):
    project.add("data/train.csv")
    project.lose("data/train.csv", cache=False)
    with pytest.raises(ConfigError, match=r"no file 'data/train.csv'.*'dvc pull data/train.csv'"):
        project.dataset(pull=False).load(project.folder)
    assert not (project.folder / "data" / "train.csv").exists()


def test_a_changed_file_is_an_error_and_stays(project):
    project.add("data/train.csv")
    changed = ROWS + "5,6,1\n"
    project.write("data/train.csv", changed)
    there = hashlib.md5(changed.encode()).hexdigest()
    with pytest.raises(ConfigError) as caught:
        project.dataset().load(project.folder)
    assert str(caught.value) == (
        f"'data/train.csv' is not the version that DVC tracks: tracked is md5 '{MD5}', there is "
        f"'{there}'; make it the new version with 'dvc add data/train.csv', or get the old one "
        "back with 'dvc checkout data/train.csv'"
    )
    assert (project.folder / "data" / "train.csv").read_text() == changed


def test_a_file_that_changes_after_a_check_is_checked_again(project):
    project.add("data/train.csv")
    dataset = project.dataset()
    dataset.load(project.folder)
    project.write("data/train.csv", ROWS + "5,6,1\n")
    for method in (dataset.load, dataset.fingerprint, dataset.version):
        with pytest.raises(ConfigError, match="not the version that DVC tracks"):
            method(project.folder)


def test_the_fingerprint_is_that_of_the_content(project, registry):
    project.add("data/train.csv")
    first = project.dataset().fingerprint(project.folder)
    table = {"use": "csv", "path": "data/train.csv", "target": "y"}
    assert first == registry.build("dataset", table).fingerprint(project.folder)
    project.write("data/train.csv", ROWS + "5,6,1\n")
    project.add("data/train.csv")
    assert project.dataset().fingerprint(project.folder) != first


def test_a_file_in_a_tracked_folder_is_pulled_alone(any_project):
    any_project.write("all/one/train.csv")
    any_project.write("all/two.csv", "y\n1\n")
    any_project.add("all")
    any_project.dvc("push")
    any_project.lose("all")
    any_project.write("all/note.txt", "mine")
    dataset = any_project.dataset("all/one/train.csv")
    assert dataset.load(any_project.folder).y == ["0", "1"]
    assert dataset.version(any_project.folder)["md5"] == MD5
    left = {path.name for path in (any_project.folder / "all").rglob("*.*")}
    assert left == {"train.csv", "note.txt"}


def test_a_changed_file_in_a_tracked_folder_names_the_folder(project):
    project.write("all/train.csv")
    project.add("all")
    project.write("all/train.csv", "y\n1\n")
    with pytest.raises(ConfigError, match=r"'dvc add all'.*'dvc checkout all/train.csv'"):
        project.dataset("all/train.csv").load(project.folder)


def test_a_file_that_is_new_in_a_tracked_folder_has_no_version(project):
    project.write("all/one.csv")
    project.add("all")
    project.write("all/two.csv")
    with pytest.raises(ConfigError, match=r"'all/two.csv' is not in the tracked .* of its folder"):
        project.dataset("all/two.csv").load(project.folder)


def test_the_output_of_a_stage_is_tracked(any_project):
    any_project.write("source.csv")
    any_project.write("dvc.yaml", STAGE)
    with pytest.raises(ConfigError, match=r"'made.csv' has no version yet.*'dvc repro make'"):
        any_project.dataset("made.csv").load(any_project.folder)
    any_project.dvc("reproduce")
    any_project.dvc("push")
    any_project.lose("made.csv")
    dataset = any_project.dataset("made.csv")
    assert dataset.load(any_project.folder).y == ["0", "1"]
    assert dataset.version(any_project.folder)["md5"] == MD5
    any_project.write("made.csv", "y\n1\n")
    with pytest.raises(ConfigError, match="'dvc commit make'"):
        dataset.load(any_project.folder)


def test_an_output_that_git_keeps_is_not_pulled(project):
    project.write("source.csv")
    project.write("dvc.yaml", STAGE.replace("[made.csv]", "[{made.csv: {cache: false}}]"))
    project.dvc("reproduce")
    told = project.dataset("made.csv").version(project.folder)
    assert told == {"path": "made.csv", "md5": MD5}
    project.lose("made.csv", cache=False)
    with pytest.raises(ConfigError, match=r"'made.csv' is missing, and DVC does not keep it"):
        project.dataset("made.csv").load(project.folder)


def test_the_revision_is_the_commit_that_has_the_version(project):
    project.add("data/train.csv")
    assert "revision" not in project.dataset().version(project.folder)
    first = project.commit()
    assert project.dataset().version(project.folder)["revision"] == first
    project.write("data/train.csv", ROWS + "5,6,1\n")
    project.add("data/train.csv")
    assert project.dataset().version(project.folder)["revision"] == f"{first}-dirty"
    assert project.dataset().version(project.folder)["revision"] != project.commit()


def test_paths_start_at_the_studys_folder(project):
    project.add("data/train.csv")
    project.write("studies/study.yaml", "")
    told = project.dataset("../data/train.csv").version(project.folder / "studies")
    assert told["path"] == "data/train.csv"


def test_a_file_that_is_not_tracked_says_how_to_track_it(project):
    with pytest.raises(ConfigError, match="not tracked by DVC; track it with 'dvc add data/tr"):
        project.dataset().load(project.folder)


def test_without_a_repository_it_says_how_to_make_one(tmp_path, registry, project):
    (tmp_path / "elsewhere.csv").write_text(ROWS)
    with pytest.raises(ConfigError, match=r"is in no DVC repository; make one with 'dvc init'"):
        project.dataset("elsewhere.csv").load(tmp_path)


def test_a_broken_dvc_file_is_told(project):
    project.write("data/train.csv.dvc", "outs: [")
    with pytest.raises(ConfigError, match=r"cannot tell the version of 'data/train.csv': .*\.dvc"):
        project.dataset().load(project.folder)


def test_a_remote_that_is_gone_is_named_with_the_reason(project):
    project.add("data/train.csv")
    project.lose("data/train.csv")
    with pytest.raises(ConfigError, match=r"from remote 'storage': there is no folder '.*remote'"):
        project.dataset().load(project.folder)
    project.remote.mkdir()
    with pytest.raises(ConfigError, match=f"does not have md5 '{MD5}'; run 'dvc push' where"):
        project.dataset().load(project.folder)


# DVC's client for HTTP leaves a session open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("tracked", ["data", "data/train.csv"])
def test_secrets_of_a_remotes_address_are_not_told(project, tracked, capfd):
    project.add(tracked)
    project.set_remote(url="http://user:secret@127.0.0.1:1/x?sig=token")
    told = project.dataset().version(project.folder)
    assert told["url"] == "http://127.0.0.1:1/x"
    project.lose(tracked)
    with pytest.raises(ConfigError, match=r"from remote 'storage': .*127\.0\.0\.1") as caught:
        project.dataset().load(project.folder)
    written = capfd.readouterr()
    for text in (str(caught.value), written.out, written.err):
        assert "secret" not in text and "token" not in text
    assert not written.err


def test_a_remote_that_needs_another_package_is_told(project):
    project.add("data/train.csv")
    project.set_remote(url="s3://bucket/x")
    project.lose("data/train.csv")
    with pytest.raises(PluginError, match=r"from remote 'storage': .*'dvc-s3' to be installed"):
        project.dataset().load(project.folder)


def test_without_a_remote_it_says_how_to_name_one(project):
    project.add("data/train.csv")
    (project.folder / ".dvc" / "config").write_text("")
    assert project.dataset().version(project.folder).keys() == {"path", "md5"}
    project.lose("data/train.csv")
    with pytest.raises(ConfigError, match="no default remote; name one with 'dvc remote add"):
        project.dataset().load(project.folder)


def test_a_reader_that_is_not_installed_names_the_package(project, monkeypatch):
    project.add("data/train.csv")
    monkeypatch.setattr("tunesmith.plugins.installed", Registry)
    with pytest.raises(PluginError, match=r"dataset 'csv', which is not.*'tunesmith-sklearn'"):
        project.dataset().load(project.folder)


def test_a_file_of_another_kind_is_refused(project):
    project.write("data/train.xlsx")
    project.add("data/train.xlsx")
    with pytest.raises(ConfigError, match=r"cannot tell what 'data/train.xlsx' is"):
        project.dataset("data/train.xlsx").load(project.folder)


def test_a_worker_does_not_check_again_what_was_checked(project):
    project.add("data/train.csv")
    dataset = project.dataset()
    dataset.load(project.folder)
    code = f"""
import pathlib, pickle, sys
pickle.load(sys.stdin.buffer)._check(pathlib.Path({str(project.folder)!r}))
sys.exit("dvc" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(dataset), check=True)


def test_a_file_that_came_meanwhile_is_kept(project):
    from tunesmith_dvc._repository import opened

    project.add("data/train.csv")
    file = project.folder / "data" / "train.csv"
    with opened(file, "data/train.csv") as repository:
        tracked = repository.find(file)
        project.write("data/train.csv", "mine")
        repository.checkout(file, tracked)
    assert file.read_text() == "mine"
