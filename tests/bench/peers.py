# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL for a while, on a private socket, with the entries that tests/bench/load records in a ledger."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ACTIVITIES = 20
STRIDE = 7919
# What the report breaks down, too: the year as a whole, by month and by activity, each with distinct givers.
QUESTIONS = [
    "SELECT sum(minutes), count(*), count(DISTINCT giver) FROM entry WHERE {year}",
    "SELECT date_trunc('month', service), sum(minutes), count(DISTINCT giver) FROM entry WHERE {year} GROUP BY 1",
    "SELECT activity, sum(minutes), count(*), count(DISTINCT giver) FROM entry WHERE {year} GROUP BY 1",
]
YEAR = "service BETWEEN current_date - 364 AND current_date"
# Order n of `load run --years`, made by the server itself.
FILL = f"""
CREATE TABLE entry (id bigint PRIMARY KEY, service date NOT NULL, entered date NOT NULL, giver int NOT NULL,
                    receiver int NOT NULL, minutes int NOT NULL, activity int NOT NULL);
INSERT INTO entry
  SELECT n, current_date - ({{days}} - 1 - n * {{days}} / {{orders}})::int, current_date,
         (n % {{accounts}}) * {STRIDE} % {{accounts}},
         ((n % {{accounts}}) * {STRIDE} % {{accounts}} + 1 + n / {{accounts}} % ({{accounts}} - 1)) % {{accounts}},
         15 * (1 + n / {{accounts}} % 4), (n + n / {{accounts}}) % {ACTIVITIES}
  FROM generate_series(0::bigint, {{orders}}::bigint - 1) AS n;
CREATE INDEX ON entry (service);
"""


def programs():
    """Where PostgreSQL's own programs are, or None."""
    for place in ("/usr/lib/postgresql/15/bin", os.path.dirname(shutil.which("initdb") or "")):
        if place and os.path.exists(os.path.join(place, "initdb")):
            return place
    return None


class Postgres:
    """A cluster of its own until the end of the block. It refuses to run as root: then it runs as postgres."""

    def __init__(self, base):
        self.programs, self.base = programs(), base

    def __enter__(self):
        self.place = tempfile.mkdtemp(prefix="timebank-peer.", dir=self.base)
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.prefix:
            shutil.chown(self.place, "postgres")
        data = os.path.join(self.place, "data")
        self.run("initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.server = subprocess.Popen(
            [*self.prefix, os.path.join(self.programs, "postgres"), "-D", data, "-k", self.place, "-h", "",
             "-c", "shared_buffers=1GB", "-c", "max_wal_size=8GB"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        deadline = time.monotonic() + 60
        while subprocess.run([*self.prefix, os.path.join(self.programs, "pg_isready"), "-h", self.place, "-q"],
                             cwd="/", check=False).returncode != 0:
            if self.server.poll() is not None or time.monotonic() > deadline:
                sys.exit("dev/bench: PostgreSQL did not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "stop", "-m", "fast", "-D", os.path.join(self.place, "data"))
        self.server.wait()
        shutil.rmtree(self.place)

    def run(self, program, *arguments, text=None):
        done = subprocess.run([*self.prefix, os.path.join(self.programs, program), *arguments], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", check=False)
        if done.returncode != 0:
            sys.exit(f"dev/bench: {program}: {done.stderr[-2000:]}")
        return done.stdout

    def sql(self, text):
        return self.run("psql", "-h", self.place, "-U", "bench", "-d", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1", text=text)

    def fill(self, orders, accounts, years):
        self.sql(FILL.format(orders=orders, accounts=accounts, days=365 * years))
        self.sql("VACUUM ANALYZE entry")

    def report_ms(self, runs):
        """Of all questions together, the median; the first round only warms."""
        told = self.sql("\\timing on\n" + "".join(q.format(year=YEAR) + ";\n" for q in QUESTIONS) * (runs + 1))
        times = [float(line.split()[1]) for line in told.splitlines() if line.startswith("Time: ")]
        n = len(QUESTIONS)
        rounds = [sum(times[i:i + n]) for i in range(n, len(times), n)]
        return statistics.median(rounds)
