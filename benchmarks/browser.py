"""`python -m benchmarks.browser`: what a context of its own costs each journey, beside a browser of its own.

Both sides load the same page of the same server in the same run; exit code 1 where the promise is broken.
"""

from __future__ import annotations

import http.server
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from postdeploy.browser.launching import Launcher

PAGE = b"<!doctype html><title>Page</title><h1>Page</h1>"
MOST_MS = 300.0
CONTEXTS, BROWSERS = 20, 3


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with suppress(ConnectionError):  # a browser that is closed waits for no answer
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def median_ms(act: Callable[[], object], times: int) -> float:
    def once() -> float:
        began = time.perf_counter()
        act()
        return (time.perf_counter() - began) * 1000

    return statistics.median(once() for _ in range(times))


def main() -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with Launcher() as launcher:
        browser = launcher.launch({})

        def in_a_context() -> None:
            context = browser.new_context()
            context.new_page()
            context.close()

        def in_a_browser() -> None:
            own = launcher.launch({})
            own.new_page().goto(url)
            own.close()

        def in_a_context_with_the_page() -> None:
            context = browser.new_context()
            context.new_page().goto(url)
            context.close()

        in_a_context()  # the first one pays for what all others share
        bare, loaded = median_ms(in_a_context, CONTEXTS), median_ms(in_a_context_with_the_page, CONTEXTS)
        whole = median_ms(in_a_browser, BROWSERS)
        browser.close()
    server.shutdown()
    sys.stdout.write(
        f"a context with its page, made and closed: {bare:.0f} ms (at most {MOST_MS:.0f})\n"
        f"the same with a page loaded: {loaded:.0f} ms\n"
        f"in a browser of its own: {whole:.0f} ms, {whole / loaded:.1f} times as much\n"
    )
    return 0 if bare <= MOST_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
