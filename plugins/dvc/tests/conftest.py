"""DVC repositories with a local remote, and a reader of CSV files that needs no other plugin."""

import contextlib
import csv
import hashlib
import shutil
import subprocess
import warnings

import pytest

from tunesmith import plugins
from tunesmith.components import Dataset
from tunesmith.finished import Table
from tunesmith.plugins import Registry
from tunesmith_dvc import Dvc

ROWS = "a,b,y\n1,2,0\n3,4,1\n"


class Csv(Dataset):
    """As much of a reader as the tests need."""

    path: str
    """The file."""
    target: str
    """The column to predict."""
    features: tuple[str, ...] = ()
    """The columns to predict from."""
    drop: tuple[str, ...] = ()
    """The columns to leave out."""
    separator: str = ","
    """What stands between two values."""

    def load(self, folder):
        with open(folder / self.path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=self.separator))
        return Table(rows, [row[self.target] for row in rows])

    def fingerprint(self, folder):
        return hashlib.sha256(repr(self.load(folder)).encode()).hexdigest()


@pytest.fixture
def registry(monkeypatch):
    """All that is installed: this plugin, and the tests' reader."""
    made = Registry()
    made.add("dataset", "dvc", "dvc", Dvc)
    made.add("dataset", "tests", "csv", Csv)
    monkeypatch.setattr(plugins, "installed", lambda: made)
    return made


class Project:
    """A folder with a DVC repository, with git or without, and a remote beside it."""

    def __init__(self, folder, remote, git):
        self.folder, self.remote, self.git = folder, remote, git
        folder.mkdir()
        if git:
            self.run("git init -q")
        with self.dvc("init", no_scm=not git) as repo, repo.config.edit() as config:
            config["remote"]["storage"] = {"url": str(remote)}
            config["core"]["remote"] = "storage"

    def run(self, command):
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
        words = [*git, *command.split()[1:]] if command.startswith("git") else command.split()
        done = subprocess.run(words, cwd=self.folder, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def dvc(self, what, *args, **options):
        """Call DVC in this process: `dvc("add", path)`."""
        from dvc.repo import Repo

        # DVC's libraries warn of one another
        with warnings.catch_warnings(), contextlib.chdir(self.folder):
            warnings.simplefilter("ignore")
            if what == "init":
                return Repo.init(str(self.folder), **options)
            with Repo(str(self.folder)) as repo:
                return getattr(repo, what)(*args, **options)

    def write(self, name, text=ROWS):
        (self.folder / name).parent.mkdir(exist_ok=True, parents=True)
        (self.folder / name).write_text(text)

    def add(self, name):
        self.dvc("add", [str(self.folder / name)])

    def commit(self):
        self.run("git add -A")
        self.run("git commit -qm x")
        return self.run("git rev-parse HEAD")

    def set_remote(self, **options):
        from dvc.repo import Repo

        with Repo(str(self.folder)) as repo, repo.config.edit() as config:
            config["remote"]["storage"] = options

    def lose(self, name, cache=True):
        """What a fresh clone lacks."""
        path = self.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if cache:
            shutil.rmtree(self.folder / ".dvc" / "cache")

    def dataset(self, path="data/train.csv", **options):
        return Dvc(path=path, target="y", **options)


@pytest.fixture
def make_project(tmp_path):
    """Makes a repository, with or without git."""
    return lambda git=True: Project(tmp_path / "project", tmp_path / "remote", git)


@pytest.fixture
def project(make_project, registry):
    """A repository in git; its file is not tracked yet."""
    made = make_project()
    made.write("data/train.csv")
    return made


@pytest.fixture(params=["git", "no_scm"])
def any_project(make_project, registry, request):
    """A repository in git, and one without."""
    made = make_project(request.param == "git")
    made.write("data/train.csv")
    return made
