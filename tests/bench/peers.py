# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and Redis for a while, on private sockets, each asked for what one of the goals is about."""
import csv
import os
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ACTIVITIES = 20
STRIDE = 7919
START_S = 60
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
         15 * (1 + n / {{accounts}} % 2), (n + n / {{accounts}}) % {ACTIVITIES}
  FROM generate_series(0::bigint, {{orders}}::bigint - 1) AS n;
CREATE INDEX ON entry (service);
"""
# An order: two balances and an entry. The smaller number goes first, or two orders would wait for each other for ever.
ORDERS = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO account SELECT n, 0 FROM generate_series(0, {accounts} - 1) AS n;
CREATE TABLE moved (id bigserial PRIMARY KEY, giver int NOT NULL, receiver int NOT NULL, minutes int NOT NULL,
                    service date NOT NULL, entered timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION move(gives int, gets int, many int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE number bigint; first int := least(gives, gets);
BEGIN
  UPDATE account SET balance = balance + CASE id WHEN gives THEN many ELSE -many END WHERE id = first;
  UPDATE account SET balance = balance + CASE id WHEN gives THEN many ELSE -many END WHERE id = gives + gets - first;
  INSERT INTO moved (giver, receiver, minutes, service) VALUES (gives, gets, many, current_date) RETURNING id INTO number;
  RETURN number;
END $$;
"""
ONE = """\\set gives random(0, {accounts} - 1)
\\set gets (:gives + random(1, {accounts} - 1)) % {accounts}
SELECT move(:gives, :gets, 15);
"""
# The same for many at once: the server makes them up itself, which spares it a client.
MANY = """WITH made AS MATERIALIZED (
  SELECT gives, (gives + 1 + floor(random() * ({accounts} - 1))::int) % {accounts} AS gets
  FROM (SELECT floor(random() * {accounts})::int AS gives FROM generate_series(1, {batch})) AS givers),
put AS (INSERT INTO moved (giver, receiver, minutes, service) SELECT gives, gets, 15, current_date FROM made)
UPDATE account SET balance = balance + change FROM (
  SELECT id, sum(change) AS change
  FROM (SELECT gives AS id, 15 AS change FROM made UNION ALL SELECT gets, -15 FROM made) AS legs GROUP BY id) AS sums
WHERE account.id = sums.id;
"""


def missing():
    """What is not there of what is needed, in words; "" when all is."""
    absent = [] if postgres_programs() else ["PostgreSQL (initdb, pgbench)"]
    if not (shutil.which("redis-server") and shutil.which("redis-benchmark")):
        absent.append("Redis (redis-server, redis-benchmark)")
    return " and ".join(absent)


def postgres_programs():
    """Where PostgreSQL's own programs are, or None."""
    for place in ("/usr/lib/postgresql/15/bin", os.path.dirname(shutil.which("initdb") or "")):
        if place and os.path.exists(os.path.join(place, "initdb")) and os.path.exists(os.path.join(place, "pgbench")):
            return place
    return None


def users_prefix(*names):
    """Servers do not run as root: then as the first of these users that there is."""
    if os.getuid() != 0:
        return [], None
    known = {user.pw_name for user in pwd.getpwall()}
    name = next(name for name in (*names, "nobody") if name in known)
    return ["runuser", "-u", name, "--"], name


class Server:
    """A directory, and the server that has its socket there, until the end of the block."""

    def __init__(self, base, *users):
        self.base, (self.prefix, self.user) = base, users_prefix(*users)

    def __enter__(self):
        self.place = tempfile.mkdtemp(prefix="timebank-peer.", dir=self.base)
        if self.user:
            shutil.chown(self.place, self.user)
        try:
            self.server = None
            self.begin()
            deadline = time.monotonic() + START_S
            while not self.answers():
                if self.server.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"dev/bench: {type(self).__name__} did not start")
                time.sleep(0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.send_signal(self.ends_by)
            self.server.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def serve(self, *command):
        """runuser would outlive what it started, so the server is made to be the process itself."""
        user = self.user
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                                       user=user, group=pwd.getpwnam(user).pw_gid if user else None,
                                       extra_groups=[] if user else None)

    def told(self, *command, text=None):
        done = subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
                              check=False)
        if done.returncode != 0:
            sys.exit(f"dev/bench: {' '.join(command[:3])}: {done.stderr[-2000:]}")
        return done.stdout


class Postgres(Server):
    ends_by = 2  # SIGINT: it ends at once, and well

    def __init__(self, base):
        super().__init__(base, "postgres")
        self.programs = postgres_programs()

    def program(self, name):
        return os.path.join(self.programs, name)

    def begin(self):
        data = os.path.join(self.place, "data")
        self.told(*self.prefix, self.program("initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        self.serve(self.program("postgres"), "-D", data, "-k", self.place, "-h", "", "-c", "shared_buffers=1GB",
                   "-c", "max_wal_size=8GB")

    def answers(self):
        return subprocess.run([self.program("pg_isready"), "-h", self.place, "-q"], cwd="/", check=False).returncode == 0

    def sql(self, text):
        return self.told(self.program("psql"), "-h", self.place, "-U", "bench", "-d", "postgres", "-qAt",
                         "-v", "ON_ERROR_STOP=1", text=text)

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

    def open_accounts(self, accounts):
        self.accounts = accounts
        self.sql(ORDERS.format(accounts=accounts))

    def per_second(self, script, clients, seconds):
        path = os.path.join(self.place, "script")
        with open(path, "w") as file:
            file.write(script)
        told = self.told(self.program("pgbench"), "-n", "-h", self.place, "-U", "bench", "-M", "prepared", "-c", str(clients),
                         "-j", "2" if clients > 1 else "1", "-T", str(max(1, round(seconds))), "-f", path, "postgres")
        # Where none was done in time, it gives no rate.
        return next((float(line.split()[2]) for line in told.splitlines() if line.startswith("tps = ")), 0.0)

    def orders_per_second(self, seconds):
        """By the function, one a transaction: with 16 and with 64 clients."""
        script = ONE.format(accounts=self.accounts)
        return {clients: self.per_second(script, clients, seconds) for clients in (16, 64)}

    def batched_per_second(self, seconds):
        return {batch: batch * self.per_second(MANY.format(accounts=self.accounts, batch=batch), 1, seconds)
                for batch in (1000, 8000)}


class Redis(Server):
    ends_by = 15

    def __init__(self, base):
        super().__init__(base, "redis")

    def begin(self):
        self.socket = os.path.join(self.place, "redis")
        self.serve(shutil.which("redis-server"), "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
                   "--dir", self.place)

    def answers(self):
        return subprocess.run(["redis-cli", "-s", self.socket, "ping"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              cwd="/", check=False).returncode == 0

    def rate(self, what, pipeline, n):
        told = self.told("redis-benchmark", "-s", self.socket, "-t", what, "-c", "50", "-P", str(pipeline), "-n", str(n),
                         "-r", str(self.accounts), "-d", "20", "--csv")
        return next(float(row[1]) for row in csv.reader(told.splitlines()) if row[0].lower() == what)

    def open_accounts(self, accounts):
        self.accounts = accounts
        self.rate("set", 16, 10 * accounts)

    def gets_per_second(self, pipeline, seconds):
        short = self.rate("get", pipeline, 50_000)
        return self.rate("get", pipeline, max(50_000, round(short * seconds)))
