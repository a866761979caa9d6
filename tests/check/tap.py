# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the files of the tree, and lines of TAP."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("base", "proto", "daemon", "libtimebank", "clients")
n_lines = 0
n_bad = 0


def tree_files(*suffixes):
    """Every file of the project, as git sees it, or all below the root where there is no git."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
        names = [n for n in names if not n.startswith(("build", ".git/")) and "__pycache__" not in n]
    return sorted(n for n in set(names)
                  if (not suffixes or n.endswith(suffixes)) and os.path.isfile(os.path.join(ROOT, n)))


def read(name):
    with open(os.path.join(ROOT, name), errors="replace") as f:
        return f.read()


def ok(good, sentence, *details):
    """One line of TAP; the details are shown where it is not ok."""
    global n_lines, n_bad
    n_lines += 1
    n_bad += not good
    print(f"{'ok' if good else 'not ok'} {n_lines} - {sentence}")
    if not good:
        for line in details:
            print(f"# {line}")


def skip(sentence, why):
    global n_lines
    n_lines += 1
    print(f"ok {n_lines} - {sentence} # skip {why}")


def functions(names):
    """(file, name, first line, last line, is_static) of every function defined in the files."""
    if not names:
        return []
    listed = subprocess.run(["ctags", "-x", "--_xformat=%F\t%N\t%n\t%{end}\t%{file}", "--fields=+ne",
                             "--kinds-C=f", "--language-force=C", *names],
                            capture_output=True, text=True, cwd=ROOT, check=True)
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    return [(r[0], r[1], int(r[2]), int(r[3] or r[2]), bool(r[4].strip("- "))) for r in rows]


def end():
    print(f"1..{n_lines}")
    sys.exit(1 if n_bad else 0)
