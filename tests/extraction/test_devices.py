"""Which device a run takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmark.common.errors import UsageError
from benchmark.extraction import devices
from benchmark.extraction.devices import resolve_device


def test_the_cpu_needs_no_torch():
    code = (
        "import sys; from benchmark.extraction.devices import resolve_device\n"
        "assert resolve_device('cpu') == 'cpu'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_auto_is_the_cpu_on_linux_without_a_driver(monkeypatch):
    monkeypatch.setattr(devices.sys, "platform", "linux")
    monkeypatch.setattr(devices, "_DRIVERS", ("/no/such/driver",))
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(("platform", "driver"), [("linux", "/dev/null"), ("darwin", "/no/such/driver")])
def test_auto_asks_torch_where_there_may_be_an_accelerator(monkeypatch, platform, driver):
    monkeypatch.setattr(devices.sys, "platform", platform)
    monkeypatch.setattr(devices, "_DRIVERS", (driver,))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert resolve_device("auto") == "cuda"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert resolve_device("auto") == "mps"
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert resolve_device("auto") == "cpu"


def test_a_device_that_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="torch finds no such device"):
        resolve_device("cuda")
