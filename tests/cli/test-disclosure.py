#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""An attacker from outside: every report of the classes funder and public over the two years of the
two-year scheme, drawn by its program, solved as one system of equations in exact fractions. What
follows is compared with the entries themselves: no figure of too few people is among it. The same
attacker finds some where only the figures of too few are hidden, and nothing else."""
import collections
import concurrent.futures
import csv
import fractions
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from served_bank import SOURCE, TIMEBANK, ServedBank

DATA = os.path.join(SOURCE, "tests", "data", "two-years")
FIRST_YEAR, FIRST_MONTH, N_MONTHS = 2023, 4, 24
THRESHOLD = {"funder": 5, "public": 10}
MINUTES = ("minutes_given", "minutes_redeemed")
TOTALS = ("minutes_given", "minutes_given_exchange", "minutes_given_earn", "minutes_redeemed")


def month_name(i):
    month = FIRST_MONTH - 1 + i
    return f"{FIRST_YEAR + month // 12:04}-{month % 12 + 1:02}"


MONTHS = {month_name(i): i for i in range(N_MONTHS)}
NODES = [(i, i + n) for n in (1, 3, 12) for i in range(0, N_MONTHS, n)]


# ------------------------------------------------------------------------------ the truth

def paths(row):
    """The figures that an entry is part of."""
    kind = row["kind"]
    if kind == "redeem":
        return ["minutes_redeemed", "by_venue/" + row["to"], f"by_offer/{row['to']}/{row['offer']}"]
    found = ["minutes_given", "minutes_given_" + kind, "by_activity/" + (row["activity"] or "none")]
    return found + (["by_organisation/" + row["receiver"]] if kind == "earn" else [])


def entries():
    rows = list(csv.DictReader(open(os.path.join(DATA, "entries.csv"), newline="")))
    gone = {row["reverses"] for row in rows if row["kind"] == "reverse"}
    return [row for row in rows if row["kind"] in ("exchange", "earn", "redeem") and row["ref"] not in gone]


behind = collections.defaultdict(lambda: collections.defaultdict(int))  # path, month: person: minutes
for entry in entries():
    for path in paths(entry):
        person = entry["from"] if entry["kind"] == "redeem" else entry["giver"]
        behind[path, MONTHS[entry["service_date"][:7]]][person] += int(entry["minutes"])


def persons(path, run):
    total = collections.Counter()
    for month in range(*run):
        total.update(behind.get((path, month), {}))
    return total


def is_unsafe(path, run, threshold):
    minutes = sorted(persons(path, run).values(), reverse=True)
    return bool(minutes) and (len(minutes) < threshold
                              or len(minutes) < 10 and 2 * minutes[0] > sum(minutes)
                              or 100 * sum(minutes[:2]) > 85 * sum(minutes))


# ------------------------------------------------------------------------------ the attacker

class Attacker:
    """Equations between figures of months, kept reduced: each row leads with a column of its own."""

    def __init__(self):
        self.rows = {}       # leading column: (the others with their factors, value)
        self.uses = collections.defaultdict(set)  # column: leads of the rows that have it

    def reduce(self, terms, value):
        left = collections.defaultdict(fractions.Fraction)
        for column, factor in terms.items():
            if column in self.rows:
                others, known = self.rows[column]
                value -= factor * known
                for other, by in others.items():
                    left[other] -= factor * by
            else:
                left[column] += factor
        return {column: factor for column, factor in left.items() if factor}, value

    def learn(self, terms, value):
        terms, value = self.reduce(terms, fractions.Fraction(value))
        if not terms:
            return
        lead, factor = next(iter(terms.items()))
        row = {column: by / factor for column, by in terms.items() if column != lead}, value / factor
        for other in self.uses.pop(lead, set()):
            others, known = self.rows[other]
            by = others.pop(lead)
            for column, own in row[0].items():
                others[column] = others.get(column, 0) - by * own
                if others[column]:
                    self.uses[column].add(other)
                else:
                    del others[column]
                    self.uses[column].discard(other)
            self.rows[other] = others, known - by * row[1]
        self.rows[lead] = row
        for column in row[0]:
            self.uses[column].add(lead)

    def has(self, path, run):
        """The figure, or None where it does not follow."""
        terms, value = self.reduce({(path, month): fractions.Fraction(1) for month in range(*run)},
                                   fractions.Fraction(0))
        return None if terms else -value


def figures(report):
    """Path and minutes of every line that adds up; None where it is hidden."""
    measures = report["measures"]
    for name in TOTALS:
        yield name, measures[name] if isinstance(measures[name], int) else None
    for table in ("by_activity", "by_organisation", "by_venue", "by_offer"):
        for name, columns in measures[table].items():
            minutes = next(columns[key] for key in MINUTES if key in columns)
            yield f"{table}/{name}", minutes if isinstance(minutes, int) else None


def relations(known, month):
    """Which figures of a month add up to which, by their names."""
    def of(table):
        return [path for path in known if path.startswith(table + "/")]
    yield "minutes_given", ["minutes_given_exchange", "minutes_given_earn"]
    yield "minutes_given", of("by_activity")
    yield "minutes_given_earn", of("by_organisation")
    yield "minutes_redeemed", of("by_venue")
    for venue in of("by_venue"):
        yield venue, of("by_offer/" + venue.split("/")[1])


def attack(reports):
    """reports: by run, from the first month to the one behind the last."""
    attacker, everything = Attacker(), {path for report in reports.values() for path, _ in figures(report)}
    for month in range(N_MONTHS):
        known = dict(figures(reports[month, month + 1]))
        for path in everything - known.keys():
            attacker.learn({(path, month): 1}, 0)
        for whole, parts in relations(known, month):
            attacker.learn({(whole, month): -1, **{(part, month): 1 for part in parts}}, 0)
    for run, report in reports.items():
        for path, minutes in figures(report):
            if minutes is not None:
                attacker.learn({(path, month): 1 for month in range(*run)}, minutes)
    return attacker, everything


def recovered(attacker, everything, threshold):
    return [(path, run) for path in sorted(everything) for run in NODES
            if is_unsafe(path, run, threshold) and attacker.has(path, run) is not None]


# ------------------------------------------------------------------------------ the bank

class Bank(ServedBank):
    def run(self, *words):
        env = dict(os.environ, TIMEBANK="unix:" + self.path, XDG_STATE_HOME=self.place + "/state")
        done = subprocess.run([TIMEBANK, "--key", self.key_path, *words], env=env, capture_output=True, text=True)
        return done.returncode, done.stdout

    def report(self, run, report_class):
        first, last = month_name(run[0]), month_name(run[1] - 1)
        days = {"02": 29 if int(last[:4]) % 4 == 0 else 28, "04": 30, "06": 30, "09": 30, "11": 30}.get(last[5:], 31)
        status, text = self.run("report", "--from", first + "-01", "--to", f"{last}-{days}", "--class",
                                report_class, "--json")
        if status:
            raise RuntimeError(text)
        return json.loads(text)

    def reports(self, runs, report_class):
        with concurrent.futures.ThreadPoolExecutor(2) as several:
            return dict(zip(runs, several.map(lambda run: self.report(run, report_class), runs)))


def hide_small(report, run, threshold):
    """What an internal report would be if only the figures of too few were hidden."""
    measures = report["measures"]
    for path, _ in list(figures(report)):
        if is_unsafe(path, run, threshold):
            table, _, name = path.partition("/")
            if name:
                measures[table][name] = {"minutes_given": "[c]"}
            else:
                measures[path] = "[c]"
    return report


def marks(value):
    if isinstance(value, dict):
        return sum((marks(member) for member in value.values()), collections.Counter())
    return collections.Counter([value] if isinstance(value, str) else [])


random.seed(6)
RUNS = NODES + sorted({(a, b) for a, b in (sorted(random.sample(range(N_MONTHS + 1), 2)) for _ in range(8))} - set(NODES))
bank = Bank()
try:
    bank.start()
    status, _ = bank.run("import", os.path.join(DATA, "accounts.csv"), os.path.join(DATA, "entries.csv"), "--history")
    tap.ok(status == 0, "the two-year scheme is there")
    drawn = {name: bank.reports(RUNS, name) for name in ("funder", "public")}
    internal = bank.reports(NODES, "internal")

    wrong = [f"{path} {run}" for run, report in internal.items() for path, minutes in figures(report)
             if minutes != sum(persons(path, run).values())]
    tap.ok(not wrong, "the entries add up to what an internal report shows", *wrong[:5])
    for name, reports in drawn.items():
        attacker, everything = attack(reports)
        found = recovered(attacker, everything, THRESHOLD[name])
        tap.ok(not found, f"all reports of the class {name} together tell nothing of too few",
               *(f"{path} {run}" for path, run in found[:5]))
        if name == "funder":
            follows = [(path, run) for path in everything for run in NODES if attacker.has(path, run) is not None]
            right = [1 for path, run in follows if attacker.has(path, run) == sum(persons(path, run).values())]
            tap.ok(len(follows) > 2000 and len(right) == len(follows), "and what follows from them is so",
                   f"{len(right)} of {len(follows)}")
        counted = [run for run, report in reports.items()
                   if report["suppressed"] != sum(marks(report[key])["[c]"] for key in
                                                  ("measures", "further_measures", "register_measures"))]
        tap.ok(not counted, f"suppressed counts what the class {name} hides", *map(str, counted[:5]))
    attacker, everything = attack({run: hide_small(report, run, 5) for run, report in internal.items()})
    found = recovered(attacker, everything, 5)
    tap.ok(len(found) > 10, "the same attacker finds some where only the figures of too few are hidden", len(found))

    public = [(run, path) for run, report in drawn["public"].items() for path, minutes in figures(report)
              if minutes is not None and dict(figures(drawn["funder"][run])).get(path) is None]
    tap.ok(not public, "the public is shown nothing that a funder is not", *map(str, public[:5]))
    odd = [run for run, report in drawn["public"].items() for _, minutes in figures(report) if (minutes or 0) % 300]
    tap.ok(not odd, "and its minutes are whole five hours", *map(str, odd[:5]))
    told = [(name, run) for name, reports in drawn.items() for run, report in reports.items()
            if any(isinstance(band["minutes_given"], int) for band in report["further_measures"]["by_band"].values())
            or isinstance(report["measures"]["top_tenth_minutes"], int)
            and report["measures"]["top_tenth_minutes"] % (60 * THRESHOLD[name])]
    tap.ok(not told, "no minutes of bands, in which one person may be all that is new, and coarse ones of the top tenth",
           *map(str, told[:5]))
    again = bank.report((12, 24), "public")
    tap.ok(again == drawn["public"][12, 24], "the same question gives the same figures")
    status, text = bank.run("report", "--from", "2024-04-02", "--to", "2025-03-31", "--class", "funder", "--json")
    tap.ok(status == 1 and json.loads(text)["refused"] == "BAD_PERIOD" and "--from 2024-04-01 --to 2025-03-31" in text,
           "days are no months: the refusal says which to ask for", text)
finally:
    bank.end()
tap.end()
