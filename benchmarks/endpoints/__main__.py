"""`python -m benchmarks.endpoints`: what a sweep costs beside curl in the same run, and what judging it costs.

600 requests over 60 HTTPS hosts of one nginx on loopback: curl sends them with `--parallel`, we send them and keep of
each its phases, certificate chain, hops, hash and redacted body. Once as it is, once with 20 ms of latency put before
nginx by a relay of our own. Both sides are processes of their own; the imports of ours are not counted, the few
milliseconds of curl's start are.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.endpoints import estate
from benchmarks.endpoints.server import NoNginx, nginx, relay

ROOT = Path(__file__).parents[2]
ROUNDS = 5
DELAY_S = 0.010
"""Each way: 20 ms there and back."""
MOST, MOST_DELAYED, MOST_JUDGING_S, MOST_CHECKS, MOST_GROWTH = 5.0, 1.3, 2.0, 1500, 11.0


def race(port: int, folder: Path, ca_pem: str, urls: list[str], hosts: list[str]) -> tuple[float, float]:
    """Median seconds of curl and of our sweep, in turns."""
    config = folder / f"curl-{port}.conf"
    lines = [f'url = "{each}"\noutput = /dev/null' for each in urls]
    lines += [f'connect-to = "{host}:443:127.0.0.1:{port}"' for host in hosts]
    config.write_text("\n".join(lines), encoding="utf-8")
    curl = [
        shutil.which("curl") or "curl",
        "-s",
        "--parallel",
        "--parallel-max",
        "100",
        "--cacert",
        str(folder / "ca.pem"),
    ]
    rounds = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run([*curl, "-K", str(config)], check=True, capture_output=True)
        theirs = time.perf_counter() - began
        rounds.append((theirs, sweep(port, ca_pem, estate.PATHS)))
    warm = rounds[1:]
    return median(each[0] for each in warm), median(each[1] for each in warm)


def sweep(port: int, ca_pem: str, paths: int) -> float:
    """Seconds of one sweep with so many paths a host, in a process of its own."""
    told = json.dumps({"ca_pem": ca_pem, "port": port, "paths": paths})
    command = [sys.executable, "-m", "benchmarks.endpoints", "sweep"]
    done = subprocess.run(command, input=told, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return float(done.stdout)


def sweep_once() -> float:
    """Seconds of our sweep over what standard input names; every reply has its evidence, or this raises."""
    from postdeploy.deadline import Deadline
    from postdeploy.web.certificates import described
    from postdeploy.web.probe import Prober
    from postdeploy.web.questions import Question
    from postdeploy.web.replies import Answer, Sweep, save
    from postdeploy.web.route import Route

    told = json.loads(sys.stdin.read())
    environment = estate.plain(paths=told["paths"])
    route = Route({f"{estate.ADDRESS} 443": f"127.0.0.1 {told['port']}"}, ca_pem=told["ca_pem"])
    hosts = [each.host for each in environment.brands.values()]
    known = {host: (Answer(host=host, kind="A", code="NOERROR", addresses=(estate.ADDRESS,)),) for host in hosts}

    async def host_of(prober: Prober, asked: list[Question]) -> list[object]:
        first = await prober.ask(asked[0])
        return [first, *await asyncio.gather(*(prober.ask(each) for each in asked[1:]))]

    async def go() -> Sweep:
        async with Prober(route, "r", Deadline(60), known, per_second=100_000.0) as prober:
            by_host = {host: [Question(host, e.path) for e in environment.expected if e.host == host] for host in hosts}
            found = await asyncio.gather(*(host_of(prober, asked) for asked in by_host.values()))
            replies = tuple(each for of in found for each in of)
            return Sweep(
                environment="load", run_id="r", taken=estate.NOW, replies=replies, certificates=described(prober.ders)
            )

    began = time.perf_counter()
    seen = asyncio.run(go())
    save(seen)
    took = time.perf_counter() - began
    assert len(seen.replies) == estate.HOSTS * told["paths"]
    assert all(each.status == 200 and each.link.chain and each.phases.total_s for each in seen.replies)
    assert len(seen.certificates) == estate.HOSTS + 1
    return took


def judge(hosts: int, paths: int) -> tuple[float, int, int]:
    """Seconds of this process to judge every claim, how many checks that is, and how many endpoints."""
    from postdeploy.evidence import catalogue, plan
    from postdeploy.verdict import State
    from postdeploy.web.claims import RULES, WebClaims

    environment = estate.pages(hosts, paths)
    seen = estate.seen(environment)
    states: Counter[State] = Counter()
    began = time.process_time()
    claims = WebClaims(seen, environment, "v1")
    for rule in RULES:
        for host in environment.hosts:
            states[getattr(claims, rule)(host).state] += 1
    took = time.process_time() - began
    assert states[State.PASSED] > 12 * hosts, "a claim that fails early costs little"
    checks = sum(each.tier == "endpoints" for each in plan.expand(catalogue.load(), environment))
    return took, checks, len(environment.expected)


def bound(what: str, measured: float, most: float, unit: str) -> bool:
    """One promise, printed."""
    kept = measured <= most
    print(f"{'kept  ' if kept else 'BROKEN'}  {what}: {measured:.3g} {unit} (at most {most:g})")
    return kept


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def main() -> int:
    """Print the figures and the promises; 1 where one is broken, 4 where a peer is missing."""
    if sys.argv[1:] == ["sweep"]:
        print(sweep_once())
        return 0
    environment = estate.plain()
    hosts = [each.host for each in environment.brands.values()]
    urls = [each.url for each in environment.expected]
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        os.environ |= {"PYTHONPYCACHEPREFIX": f"{name}/compiled", "PYTHONDONTWRITEBYTECODE": ""}
        folder, port, slow = Path(name), _free_port(), _free_port()
        try:
            ca_pem = stack.enter_context(nginx(folder, port, hosts))
        except NoNginx as error:
            print(error)
            return 4
        curl, ours = race(port, folder, ca_pem, urls, hosts)
        many = median(sweep(port, ca_pem, estate.PATHS * 10) for _ in range(3))
        stack.enter_context(relay(slow, port, DELAY_S))
        curl_slow, ours_slow = race(slow, folder, ca_pem, urls, hosts)
    print(f"{len(urls)} requests over {len(hosts)} HTTPS hosts: curl {curl:.2f} s, the sweep {ours:.2f} s")
    print(f"{len(urls) * 10} requests over as many hosts: the sweep {many:.2f} s")
    print(f"with 20 ms of latency: curl {curl_slow:.2f} s, the sweep {ours_slow:.2f} s")
    small, checks, endpoints = min(judge(60, 10) for _ in range(3))
    large, _, most = min(judge(60, 100) for _ in range(2))
    print(f"judging: {endpoints} endpoints {small:.2f} s, {most} endpoints {large:.2f} s; {checks} checks in the tier")
    kept = [
        bound("the sweep beside curl", ours / curl, MOST, "times"),
        bound("the sweep beside curl, with latency", ours_slow / curl_slow, MOST_DELAYED, "times"),
        bound("judging 600 endpoints by every claim", small, MOST_JUDGING_S, "s"),
        bound("checks of 60 hosts", checks, MOST_CHECKS, "checks"),
        bound("sweeping ten times the endpoints", many / ours, MOST_GROWTH, "times"),
        bound("judging ten times the endpoints", large / small, MOST_GROWTH, "times"),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
