"""Options and fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    beside = ROOT.parent / "shared"
    parser.addoption("--models", type=Path, default=beside / "models", help="folder with networks that others trained")
    parser.addoption("--data", type=Path, default=beside / "datasets", help="folder with the real data sets")
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files instead of comparing")


def _folder(config: pytest.Config, option: str) -> Path:
    folder: Path = config.getoption(option)
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; give its place with {option}")
    return folder


@pytest.fixture(scope="session")
def models_dir(pytestconfig: pytest.Config) -> Path:
    return _folder(pytestconfig, "--models")


@pytest.fixture(scope="session")
def data_dir(pytestconfig: pytest.Config) -> Path:
    return _folder(pytestconfig, "--data")


@pytest.fixture
def update_golden(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--update-golden"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)
