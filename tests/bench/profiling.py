# SPDX-License-Identifier: Apache-2.0
"""Where the time goes under P1: perf where it may be used, callgrind otherwise. Leaves, for the daemon and for the
client, a listing and (of perf) a flame graph."""
import collections
import os
import shutil
import subprocess
import sys
from xml.sax.saxutils import escape

from bank import Bank
from works import tell

WIDTH, ROW, LEAST = 1200, 17, 0.5  # a box of less than LEAST pixels is left out


def perf_works():
    return shutil.which("perf") and subprocess.run(["perf", "record", "-q", "-o", "/dev/null", "true"], stdout=subprocess.DEVNULL,
                                                   stderr=subprocess.DEVNULL, check=False).returncode == 0


class Box:
    def __init__(self):
        self.n, self.inner = 0, collections.defaultdict(Box)


def tree_of(script):
    """Of what `perf script` prints: a header line, the stack with its innermost call first, an empty line."""
    root, stack = Box(), []
    for line in script.splitlines() + [""]:
        if line.startswith(("\t", " ")) and line.strip():
            words = line.split()
            stack.append(words[1].split("+0x")[0] if len(words) > 1 else "?")
        elif not line.strip() and stack:
            box = root
            box.n += 1
            for name in reversed(stack):
                box = box.inner[name]
                box.n += 1
            stack = []
    return root


def boxes(box, name, x, depth, unit, out):
    width = box.n * unit
    if width < LEAST:
        return depth
    hue = 20 + sum(map(ord, name)) % 35
    out.append((depth, f'<rect x="{x:.1f}" y="{{y}}" width="{width:.1f}" height="{ROW - 1}" fill="hsl({hue},75%,65%)">'
                f"<title>{escape(name)}: {box.n * unit / WIDTH:.1%}</title></rect>"))
    if width > 40:
        out.append((depth, f'<text x="{x + 3:.1f}" y="{{t}}">{escape(name[:int(width / 6.5)])}</text>'))
    deepest = depth
    for name_inner, inner in sorted(box.inner.items()):
        deepest = max(deepest, boxes(inner, name_inner, x, depth + 1, unit, out))
        x += inner.n * unit
    return deepest


def flame_of(script, title):
    root, out = tree_of(script), []
    if not root.n:
        return None
    deepest = boxes(root, title, 0, 0, WIDTH / root.n, out)
    height = (deepest + 1) * ROW
    lines = [text.replace("{y}", str(height - (depth + 1) * ROW)).replace("{t}", str(height - depth * ROW - 5))
             for depth, text in out]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="10.5">'
            f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(lines) + "\n</svg>\n")


def perf_listing(data, stem):
    report = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.3"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True, check=False)
    script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True, check=False)
    with open(stem + ".txt", "w") as file:
        file.write(report.stdout)
    flame = flame_of(script.stdout, os.path.basename(stem) + " under P1")
    if flame:
        with open(stem + ".svg", "w") as file:
            file.write(flame)
    os.remove(data)
    return [stem + ".txt"] + ([stem + ".svg"] if flame else [])


def by_perf(bench, place):
    options, found = bench.options, []
    with Bank(bench, "profile") as bank:
        bank.load("prepare")
        bank.load("run", "--batch", options.batch, "--batches", 2)
        command = [bench.program("tests/bench/load"), *bank.load_command(
            "run", None, "--batch", options.batch, "--in-flight", options.in_flight, "--seconds", max(1, 2 * options.seconds))]
        daemon = subprocess.Popen(["perf", "record", "-q", "-F", "999", "-g", "-p", str(bank.daemon.pid), "-o", place + "/daemon.data"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["perf", "record", "-q", "-F", "999", "-g", "-o", place + "/client.data", "--", *command],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=bank.environment, check=True)
        daemon.send_signal(2)
        daemon.wait()
    for who in ("daemon", "client"):
        found += perf_listing(f"{place}/{who}.data", f"{place}/{who}")
    return found


def by_callgrind(bench, place):
    """Instructions instead of time, and far slower: a few batches are enough."""
    tool, found = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={place}/callgrind.%p"], []
    bench.wrapped_by = tool
    with Bank(bench, "profile") as bank:
        bank.load("prepare")
        command = [bench.program("tests/bench/load"), *bank.load_command("run", None, "--batch", bench.options.batch, "--batches", 4)]
        daemon = bank.daemon.pid
        client = subprocess.Popen([*tool, *command], env=bank.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client.wait()
    bench.wrapped_by = []
    # The client forks: its child did the work, and has the longest file.
    files = sorted((name for name in os.listdir(place) if name.startswith("callgrind.")),
                   key=lambda name: os.path.getsize(os.path.join(place, name)))
    for name in files:
        who = {f"callgrind.{daemon}": "daemon", f"callgrind.{client.pid}": None}.get(name, "client")
        path = os.path.join(place, name)
        if who:
            listing = subprocess.run(["callgrind_annotate", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
            with open(f"{place}/{who}.txt", "w") as file:
                file.write(listing.stdout)
            found.append(f"{place}/{who}.txt")
        os.remove(path)
    return found


def profile(bench, place):
    os.makedirs(place, exist_ok=True)
    if perf_works():
        found = by_perf(bench, place)
    elif shutil.which("valgrind"):
        tell("perf may not be used here: callgrind counts instructions instead")
        found = by_callgrind(bench, place)
    else:
        sys.exit("dev/bench: neither perf (linux-perf) nor valgrind is here")
    for path in sorted(set(found)):
        print(path)
