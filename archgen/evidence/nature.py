"""What a file is to the running system: its code, a test, an example, or something a tool wrote."""

from __future__ import annotations

import re
from enum import Enum


class Nature(Enum):
    PRODUCTION = "production"
    TEST = "test"
    EXAMPLE = "example"
    GENERATED = "generated"

    @property
    def counts(self) -> bool:
        """Only production code is evidence; the rest is no more than a claim."""
        return self is Nature.PRODUCTION


TEST_FOLDERS = {
    "test", "tests", "__tests__", "testing", "spec", "specs", "e2e", "integration-test", "integration_tests",
    "integrationtest", "integrationtests",
    "end-to-end-tests", "component-test", "testdata", "fixtures", "__mocks__", "mock", "mocks", "cypress",
    "loadtest", "test-util", "test-utils", "testutil", "ui-tests",
    "loadgenerator", "load-generator", "regtest", "testinfra", "testsuite", "acceptance-tests",
}  # fmt: skip
_TEST_FILE = re.compile(
    r"^(test_.*|.*_test|tests|conftest)\.py$|_test\.go$|^(mocks?|fakes?|stubs?)\.go$|\.(spec|test|e2e|e2e-spec|stories|mock)\.[cm]?[jt]sx?$"
    r"|^\.env\.(test|testing|ci|e2e)\b|^(docker-)?compose([-_.]\w+)*[-_.](test|tests|testing|ci|e2e)\.ya?ml$|(Test|Tests|IT|TestCase|Mother)\.java$|^Abstract.*Test.*\.java$|^Test[A-Z].*\.java$"
)
_TEST_PROJECT = re.compile(
    r"^(test|tests|integration[-_]tests?|acceptance|e2e)[-_.]"
    r"|^tests?(fixtures?|helpers?|support|env|kit|lib|cases?|harness|containers?|tools?)$"
    r"|(^|[-_.])(test|tests|testing)([-_.](utils?|support|kit|container|containers|jar))?$"
)
# Source sets of Gradle: `src/functionalTest/java`
_TEST_SOURCES = re.compile(r"(^|/)src/([a-z]\w*Tests?|testFixtures|aat)/(java|kotlin|groovy|resources)/")
# In the root: what helps to build and to write about the system, and is no part of it.
_BESIDE = {"tools", "hack", "dev", "docs", "doc", "ci", "docker", ".github"}
_EXAMPLE_FOLDERS = {
    "example",
    "examples",
    "sample",
    "samples",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "playground",
    "attic",
    "tutorial",
    "tutorials",
    "_dev",
    ".devcontainer",
    "devcontainer",
    "local-dev",
    "github_actions",
    "deprecated",
}
_EXAMPLE_PROJECT = re.compile(
    r"[-_.](examples?|samples?|demos?|benchmarks?|bench|jmh)$|^(examples?|samples?|demos?|benchmarks?)[-_.]"
)
# What fills an empty store for a developer.
_SEEDS = re.compile(r"^seed(s|er|ers|ing)?([-_.][\w-]+)*\.(py|[cm]?[jt]s|go)$", re.IGNORECASE)
_GENERATED_FILE = re.compile(
    r"(_pb2(_grpc)?\.pyi?|\.pb(\.gw)?\.go|_grpc\.pb\.go|_gen\.go|\.gen\.(go|ts)|\.generated\.\w+|\.(min|bundle)\.js|\.d\.ts"
    r"|_mock\.go|mock_.*\.go)$"
)
_BANNER = re.compile(r"\s*/\*[!*][^\n]{0,200}?(\bv?\d+\.\d+(\.\d+)?\b|@license|@preserve)")
_GENERATED_HEADER = re.compile(
    r"code generated .{0,80}do not edit|@generated\b|auto-?generated|"
    r"generated[^\n]{0,80}(do not (edit|modify)|edit [^\n]{1,60} instead)|this (file|class) (is|"
    r"was) (auto(matically)?[ -])?generated",
    re.IGNORECASE,
)

# Only what helps tests brings that in.
_TEST_IMPORT = re.compile(r'^(import)?\s+"testing"$', re.MULTILINE)
_PYTEST = re.compile(r"^(import pytest|from pytest import)\b", re.MULTILINE)
_LONG_LINES = 300  # characters on average


def nature_of(path: str, text: str) -> Nature:
    """Judged by where a file lies, what it is called and what its first lines say."""
    *folders, name = path.split("/")
    if folders and folders[0] in _BESIDE and name.endswith((".py", ".js", ".ts", ".mjs")):
        return Nature.EXAMPLE
    # below the root of a Java source tree the folders are a package's name, and say nothing
    if "src/main/" in path:
        folders = path.split("src/main/")[0].split("/")
    if (
        _TEST_SOURCES.search(path)
        or _TEST_FILE.search(name)
        or any(f in TEST_FOLDERS or _TEST_PROJECT.search(f) for f in folders)
    ):
        return Nature.TEST
    if name.endswith(".go") and _TEST_IMPORT.search(text[:2000]):
        return Nature.TEST
    if name.endswith(".py") and "@pytest.fixture" in text and _PYTEST.search(text):
        return Nature.TEST
    if name == "magefile.go":  # what mage builds with
        return Nature.EXAMPLE
    if _SEEDS.match(name) or "seeds" in folders or "seeders" in folders:
        return Nature.EXAMPLE
    if not _EXAMPLE_FOLDERS.isdisjoint(folders) or any(_EXAMPLE_PROJECT.search(f) for f in folders):
        return Nature.EXAMPLE
    written = _GENERATED_HEADER.search(text[:600]) is not None and "Dockerfile" not in name  # that one runs
    if written or _GENERATED_FILE.search(name) or _packed(name, text):
        return Nature.GENERATED
    return Nature.PRODUCTION


def _packed(name: str, text: str) -> bool:
    """Whether a script was minified or bundled (nobody writes lines of hundreds of characters throughout),
    or copied from a publisher, whose banner names its version.
    """
    if not name.endswith((".js", ".mjs", ".cjs")):
        return False
    return _BANNER.match(text) is not None or (
        len(text) > 2_000 and len(text) > _LONG_LINES * (text.count("\n") + 1)
    )
