"""A page in headless Chromium, as a reader has it: what it says on its console, what it asks of the network."""

from __future__ import annotations

import json
import shutil
import time
import unittest
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds that something on a page may take: against hanging, not a measure of speed
DRIVER, CHROMIUM = shutil.which("chromedriver"), shutil.which("chromium")


class Browser:
    """Selenium around Debian's chromium and chromium-driver; SkipTest where there is none."""

    def __init__(self) -> None:
        if not (DRIVER and CHROMIUM):
            raise unittest.SkipTest(
                "no chromium to look at pages with; tools/setup installs chromium and chromium-driver"
            )
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.driver.set_window_size(1200, 1000)

    def close(self) -> None:
        self.driver.quit()

    def open(self, page: Path) -> None:
        self.driver.get_log("browser"), self.driver.get_log("performance")  # those of the page before
        self.driver.get(page.resolve().as_uri())
        self.wait_for("[...document.querySelectorAll('.plot')].every((plot) => plot.dataset.drawn === 'yes')")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, condition: str) -> None:
        """A condition in JavaScript."""
        until = time.monotonic() + PATIENCE
        while not self.run(f"return {condition}"):
            if time.monotonic() > until:
                raise AssertionError(f"never true on {self.driver.current_url}: {condition}")
            time.sleep(0.05)

    def console(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """The addresses that the page asked for."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def text(self) -> str:
        return self.run("return document.body.innerText")

    def pdf(self) -> bytes:
        import base64

        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
