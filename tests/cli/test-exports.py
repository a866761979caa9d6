#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The ledger in other programs' books: hledger, Ledger and Beancount accept what timebank exports in
their strictest ways, and come to our balances and to the report's totals by type; so does the table.
On the bundled two years, and on a scheme of test-figures.py that uses every kind."""
import csv
import datetime
import glob
import importlib.util
import io
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from beancount import loader
from beancount.core import data
from served_bank import SOURCE, TIMEBANK, TIMEBANKD, ServedBank

N_ORDERS = int(os.environ.get("EXPORTS_ORDERS", "220"))
SEED = int(os.environ.get("EXPORTS_SEED", "6"))
NASTY = '=cmd|, [2025-99-99] a: "b"; 100% \\o'
FORMATS = ("csv", "hledger", "ledger", "beancount")
UNITS = {"TC": 60, "MIN": 1}
ROOTS = {"members": "", "organisations": "", "venues": "", "bank": "", "banks": "bank:"}


def figures_module():
    spec = importlib.util.spec_from_file_location("figures", HERE + "/test-figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


figures = figures_module()


class Exports:
    """One question in each format, as files."""

    def __init__(self, programs, place, name, *words):
        self.programs, self.paths = programs, {}
        for form in FORMATS:
            self.paths[form] = f"{place}/{name}.{form}"
            with open(self.paths[form], "wb") as f:
                f.write(self.bytes_of(programs, form, *words))

    @staticmethod
    def bytes_of(programs, form, *words, by="steward"):
        done = subprocess.run([TIMEBANK, "--key", programs.key(by), "export", "--format", form, *map(str, words)],
                              env=programs.env, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"export {form} {words}: {done.returncode} {done.stdout[-200:]} {done.stderr}")
        return done.stdout

    def run(self, *words):
        done = subprocess.run(words, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else f"FAILED {words[0]}: {done.stdout[-500:]}{done.stderr[-1500:]}"

    def complaints(self):
        """What the three have against them, in their strictest ways."""
        # A dead end of the period is no error of the books, so nothing but silence is.
        wanted = [self.run("hledger", "-f", self.paths["hledger"], "check", "--strict", "ordereddates", "payees"),
                  self.run("bean-check", self.paths["beancount"])]
        ledger = self.run("ledger", "-f", self.paths["ledger"], "--pedantic", "--explicit", "--check-payees", "bal")
        return [line for line in [*wanted, *([ledger] if ledger.startswith("FAILED") else [])] if line]


# -------------------------------------------------------------- what each program makes of it

def minutes_of(text):
    """Of "2.50 TC" or "-150 MIN"; hundredths of an hour are whole minutes here."""
    if text.strip() in ("0", ""):
        return 0
    number, unit = text.replace(",", "").split()
    minutes = float(number) * UNITS[unit]
    assert abs(minutes - round(minutes)) < 1e-6, text
    return round(minutes)


def code_of(account):
    root, _, code = account.partition(":")
    return ROOTS[root.lower()] + code.lower()


def add_up(rows):
    sums = {}
    for name, minutes in rows:
        sums[name] = sums.get(name, 0) + minutes
    return {name: minutes for name, minutes in sums.items() if minutes}


def hledger_rows(text):
    return [(row[0], minutes_of(row[1])) for row in list(csv.reader(io.StringIO(text)))[1:]]


def by_hledger(exports):
    ask = ["hledger", "-f", exports.paths["hledger"], "bal", "-N", "--flat", "-O", "csv"]
    return (add_up((code_of(account), minutes) for account, minutes in hledger_rows(exports.run(*ask))),
            add_up(hledger_rows(exports.run(*ask, "tag:side=^to$", "--pivot", "type"))))


def by_ledger(exports):
    text = exports.run("ledger", "-f", exports.paths["ledger"], "--pedantic", "reg", "--format",
                       '%(account)\t%(tag("type"))\t%(tag("side"))\t%(amount)\n')
    rows = [line.split("\t") for line in text.splitlines()]
    return (add_up((code_of(row[0]), minutes_of(row[3])) for row in rows),
            add_up((row[1], minutes_of(row[3])) for row in rows if row[2] == "to"))


def by_beancount(exports):
    entries, errors, _ = loader.load_file(exports.paths["beancount"])
    assert not errors, errors[:3]
    rows = [(code_of(p.account), e.meta.get("type"), (p.meta or {}).get("side"), minutes_of(str(p.units)))
            for e in entries if isinstance(e, data.Transaction) for p in e.postings]
    return (add_up((code, minutes) for code, _, _, minutes in rows),
            add_up((kind, minutes) for _, kind, side, minutes in rows if side == "to"))


def csv_rows(path):
    with open(path, newline="", encoding="utf-8-sig") as f:
        return list(csv.DictReader(f))


def logged_minutes(exports):
    """Hours without credit, as the books say them beside a posting of nothing."""
    printed = exports.run("hledger", "-f", exports.paths["hledger"], "print", "tag:type=^log$")
    entries, _, _ = loader.load_file(exports.paths["beancount"])
    return {"hledger": sum(int(minutes) for minutes in re.findall(r"^ *; minutes: (-?\d+)$", printed, re.M)),
            "beancount": sum(int(e.meta.get("minutes", 0)) for e in entries if isinstance(e, data.Transaction))}


def by_csv(exports):
    rows = csv_rows(exports.paths["csv"])
    return (add_up((row["account"], int(row["minutes"])) for row in rows),
            add_up((row["type"], int(row["minutes"])) for row in rows if row["side"] == "to"))


def measures_of(types, rows):
    """The report's totals, out of totals by type on the side that gains."""
    def total(*kinds):
        return sum(types.get(kind, 0) for kind in kinds)
    minted = -sum(int(row["minutes"]) for row in rows if row["type"] == "mint-vouchers" and row["kind"] == "issued")
    logged = {(row["entry"], row["minutes_without_credit"]) for row in rows if row["type"] == "log"}
    return {"minutes_given_exchange": total("exchange"), "minutes_given_earn": total("earn"),
            "minutes_given_session": total("session"), "minutes_redeemed": total("redeem"),
            "minutes_gifted": total("gift"), "minutes_donated": total("donate"),
            "granted in all": total("grant") + minted, "minutes_issued": total("issue"),
            "minutes_advanced": total("advance", "pledge"), "minutes_repaid": total("repay"),
            "minutes_expired": total("expire"), "minutes_retired": total("retire"),
            "minutes_given_without_credit": sum(int(minutes) for _, minutes in logged)}


def report_of(programs, begin, end, *words):
    measures = programs.run("report", "--from", begin, "--to", end, *words)[0]["measures"]
    measures["granted in all"] = measures["minutes_granted"] + measures["minutes_granted_from_chest"]
    return measures


# -------------------------------------------------------------- compared

def differences(wanted, found):
    return [f"{key}: {found.get(key, 0)}, not {wanted.get(key, 0)}" for key in sorted({*wanted, *found})
            if wanted.get(key, 0) != found.get(key, 0)]


def compare(sentence, exports, balances, measures, skip_opening=False):
    """Each program's balances and totals by type, against ours."""
    bad = exports.complaints()
    tap.ok(not bad, f"{sentence}: all three accept their books", *bad)
    rows = csv_rows(exports.paths["csv"])
    for name, read in (("hledger", by_hledger), ("ledger", by_ledger), ("beancount", by_beancount),
                       ("csv", by_csv)):
        if name == "csv" and skip_opening:
            continue
        found, types = read(exports)
        tap.ok(not differences(balances, found), f"{sentence}: every balance in {name} is ours",
               *differences(balances, found)[:20])
        types = {key: value for key, value in types.items() if key}
        totals = measures_of(types, rows)
        wanted = {key: measures[key] for key in totals}
        tap.ok(not differences(wanted, totals), f"{sentence}: totals by type in {name} are the report's",
               *differences(wanted, totals))


def balances_of(programs):
    return {a["code"]: a["minutes"] for a in programs.run("account", "list") if a["minutes"]}


def compare_period(programs, place, sentence, begin, end):
    whole = Exports(programs, place, "before")
    at_end = add_up((row["account"], int(row["minutes"])) for row in csv_rows(whole.paths["csv"])
                    if row["date"] <= end)
    exports = Exports(programs, place, "period", "--from", begin, "--to", end)
    compare(sentence, exports, at_end, report_of(programs, begin, end), skip_opening=True)
    with open(exports.paths["hledger"]) as f:
        head = f.read(1000)
    tap.ok("test.example/timebank" in head and f"before {begin}" in head and f"after {end}" in head
           and "root " in head, f"{sentence}: the head says what is left out, of what", head)


def outstanding_at_month_ends(programs, exports, begin, end):
    """The books' own months against the report's: what is outstanding is what members, organisations,
    the chest and vouchers have."""
    rows = [row for row in csv_rows(exports.paths["csv"])
            if row["kind"] in ("member", "organisation", "chest", "vouchers")]
    found = {day: sum(int(row["minutes"]) for row in rows if row["date"] <= day) for day in (begin, end)}
    wanted = {day: programs.run("report", "--from", begin, "--to", day)[0]["measures"]["outstanding_closing"]
              for day in (begin, end)}
    return differences(wanted, found)


# -------------------------------------------------------------- days that pass

class Clock:
    """The programs' clocks run ahead by so many days (other-clock.c)."""

    def __init__(self, bank, programs):
        library, self.path = bank.place + "/other-clock.so", bank.place + "/clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE + "/other-clock.c", "-ldl"], check=True)
        asan = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
        self.preload = f"export LD_PRELOAD={library} OTHER_CLOCK={self.path} ASAN_OPTIONS={asan}"
        programs.env.update(LD_PRELOAD=library, OTHER_CLOCK=self.path, ASAN_OPTIONS=asan)
        self.run_ahead(0)

    def run_ahead(self, days):
        with open(self.path, "w") as f:
            f.write(f"{days * 86400} {days * 86400}\n")


# -------------------------------------------------------------- the stories

def two_years():
    bank = ServedBank()
    try:
        bank.start()
        programs = figures.Programs(bank)
        programs.run("import", "--history", *[f"{SOURCE}/tests/data/two-years/{name}.csv"
                                              for name in ("accounts", "entries")])
        exports = Exports(programs, bank.place, "all")
        compare("two years", exports, balances_of(programs), report_of(programs, "2023-01-01", "2025-12-31"))
        compare_period(programs, bank.place, "the second year", "2024-04-01", "2025-03-31")
        logged = report_of(programs, "2023-01-01", "2025-12-31")["minutes_given_without_credit"]
        tap.ok(logged_minutes(exports) == {"hledger": logged, "beancount": logged},
               "two years: hours without credit are in the books, and countable", str(logged_minutes(exports)))
        bad = outstanding_at_month_ends(programs, exports, "2024-06-30", "2024-11-30")
        tap.ok(not bad, "two years: what is outstanding at the end of a month is the report's", *bad)
        with open(exports.paths["ledger"]) as f:
            tap.ok("format 1000.00 TC" in f.read(), "two years: whole hundredths of hours")
        edges(programs, "2024-04-01", "2025-03-31")
        rights(programs)
    finally:
        bank.end()


def every_kind():
    bank = ServedBank()
    try:
        bank.start()
        programs = figures.Programs(bank)
        scheme = figures.Scheme(programs, random.Random(SEED))
        while scheme.n_entered < N_ORDERS:
            scheme.step()
        begin, end = figures.iso(400), figures.iso(-60)
        compare("every kind", Exports(programs, bank.place, "all"), balances_of(programs),
                report_of(programs, begin, end))
        compare_period(programs, bank.place, "a part of it", figures.iso(100), figures.iso(20))
        edges(programs, begin, end)
        pending(programs, scheme.live[0])
        odd_minutes(programs, bank, scheme.live, begin, end)
        same_again(programs, bank, scheme.live)
        bank.stop()
        tap.ok(bank.check() is None, "the ledger is sound", str(bank.check()))
    finally:
        bank.end()


def conflict(programs, bank):
    """A voucher taken by two venues that did not ask: the chest pays the second one."""
    programs.entry("donate", "--from", "m004", "--time", "2h")
    path = sorted(glob.glob(bank.place + "/slips/vouchers-*.csv"))[0]
    with open(path, newline="") as f:
        token = next(csv.DictReader(f))["token"]
    for venue in ("pool", "cafe"):
        number = programs.entry("voucher", "redeem", token, "--to", venue, "--offline", "--on", figures.iso(0))
    programs.run("decide", number, "--falls", "--time", "1h", "they could not know", by="decider")


def what_falls_due():
    """Whatever nobody answered or used in time ends by itself, and the books still come out."""
    bank = ServedBank()
    try:
        programs = figures.Programs(bank)
        clock = Clock(bank, programs)
        bank.start(clock.preload)
        run, scheme = programs.run, figures.Scheme(programs, random.Random(SEED))
        for name, value in {"expiry-days": "60", "voucher-lapse": "expire", "claim-days": "20"}.items():
            run("policy", "set", name, value)
        for code in scheme.live:
            run("grant", "--to", code, "--time", "6h", "--why", "welcome")
        waits = [programs.entry("gift", "--from", "m001", "--to", "m002", "--time", "1h", "--propose"),
                 programs.entry("hold", "--from", "m003", "--to", "pool", "--offer", "swim", "--adults", 1, "--on",
                                figures.iso(-1)),
                 programs.entry("exchange", "--giver", "m001", "--receiver", "m005", "--time", "2h", "--activity",
                                "cooking", "--propose", by="m001")]
        seen = programs.entry("exchange", "--giver", "m006", "--receiver", "m007", "--time", "2h", "--activity",
                              "cooking")
        run("dispute", seen, "not so", by="broker")
        programs.entry("pledge", "--to", "m008", "--time", "3h", "--until", figures.iso(-30), "--why", "x")
        for part in ([], ["--time", "30m"]):
            advanced = programs.entry("advance", "--to", "m010", "--time", "2h", "--why", "x")
            run("reverse", advanced, "a mistake", *part)
        for payer in ("m009", "issued"):
            run("voucher", "mint", "--from", payer, "--time", "1h", "--count", 2, "--expires", figures.iso(-40),
                "--voucher-key", bank.place + "/vouchers.key", "--out", bank.place + "/slips")
        conflict(programs, bank)
        held = programs.entry("hold", "--from", "m011", "--to", "cafe", "--offer", "lunch", "--adults", 3, "--on",
                              figures.iso(0))
        run("capture", held, "--time", "30m", "--release-rest", "--why", "two did not come")
        begin, later = Exports.bytes_of(programs, "hledger").decode(), figures.iso(-200)
        clock.run_ahead(100)
        run("activity", "add", "dancing")  # what fell due is recorded before it
        told = run("expire", "--dry-run")[0]
        run("expire", "--accounts", told["accounts"], "as announced")
        exports = Exports(programs, bank.place, "due")
        compare("what fell due", exports, balances_of(programs), report_of(programs, figures.iso(20), later))
        with open(exports.paths["hledger"]) as f:
            text = f.read()
        tap.ok(f" ! ({waits[0]}) " in begin and f" ! ({waits[1]}) " in begin and f"({waits[2]})" not in begin
               and " ! (" not in text, "what waited is pending, and nothing is once its time is over")
        happened = {row["what"] for row in csv_rows(exports.paths["csv"])}
        wanted = {"gift-lapsed", "hold-lapsed", "claim-accepted", "dispute-lapsed", "vouchers-expired"}
        tap.ok(wanted <= happened, "each of them is told as what happened", *sorted(happened))
        bank.stop()
        tap.ok(bank.check() is None, "the ledger is sound", str(bank.check()))
    finally:
        bank.end()


def pending(programs, live):
    """What is set aside is marked so, until it is no longer."""
    number = programs.entry("hold", "--from", live, "--to", "pool", "--offer", "swim", "--adults", 1, "--on",
                            figures.iso(0))
    text = Exports.bytes_of(programs, "hledger").decode()
    waits = f" ! ({number}) hold" in text
    programs.run("capture", number)
    text = Exports.bytes_of(programs, "hledger").decode()
    tap.ok(waits and f" * ({number}) hold" in text and f"({number}) hold" in text,
           "a hold is pending in the books, and cleared once it was captured")


def odd_minutes(programs, bank, live, begin, end):
    programs.run("policy", "set", "quantum", "1")
    programs.run("activity", "add", NASTY)
    number = programs.entry("exchange", "--giver", live[0], "--receiver", live[1], "--time", "7m", "--on",
                            figures.iso(3), "--activity", NASTY)
    programs.run("reverse", number, "a mistake", "--time", "2m")
    exports = Exports(programs, bank.place, "odd")
    with open(exports.paths["hledger"]) as f:
        text = f.read()
    tap.ok("commodity MIN" in text and " TC" not in text and f"({number}) exchange" in text,
           "one entry of seven minutes puts the whole export into minutes")
    compare("seven minutes, and a name full of signs", exports, balances_of(programs),
            report_of(programs, begin, end))
    row = next(row for row in csv_rows(exports.paths["csv"]) if row["entry"] == str(number))
    with open(exports.paths["csv"], "rb") as f:
        raw = f.read()
    tap.ok(row["activity"] == "'" + NASTY and raw.startswith(b"\xef\xbb\xbf\"entry\"") and b"\r\n" in raw
           and not any(cell[:1] in "=+@\t\r" for line in csv.reader(io.StringIO(raw.decode("utf-8-sig")))
                       for cell in line if cell), "a formula in a name is inert in the table", str(row))
    tap.ok(all(row["minutes"].lstrip("-").isdigit() for row in csv_rows(exports.paths["csv"])),
           "numbers have no apostrophe")


def same_again(programs, bank, live):
    """The same position gives the same bytes: after new entries, another key, and a restore."""
    size = programs.run("status")[0]["size"]
    first = {form: Exports.bytes_of(programs, form, "--at", size) for form in FORMATS}
    programs.run("grant", "--to", live[0], "--time", "1h", "--why", "x")
    programs.run("ledger", "rotate", "a new machine")
    again = {form: Exports.bytes_of(programs, form, "--at", size) for form in FORMATS}
    tap.ok(first == again, "the same position gives the same bytes, after new entries and another key")
    programs.run("backup", "one")
    bank.stop()
    subprocess.run([TIMEBANKD, "restore", bank.directory + "/backups/one", bank.place + "/new", "--name",
                    "test.example/timebank/2", "--steward", bank.key_path + ".pub"], capture_output=True, check=True)
    os.rename(bank.directory, bank.place + "/lost")
    os.rename(bank.place + "/new", bank.directory)
    bank.start()
    programs.env["XDG_STATE_HOME"] = bank.place + "/state-2"
    again = {form: Exports.bytes_of(programs, form, "--at", size) for form in FORMATS}
    renamed = {form: text.replace(b"timebank/2.", b"timebank.") for form, text in again.items()}
    tap.ok(first == renamed, "and after a restore, but for the ledger's name")


def edges(programs, begin, end):
    ask = ["--from", begin, "--to", end]
    measures = programs.run("report", *ask)[0]["measures"]
    first, second = (Exports.bytes_of(programs, "edges", *ask).decode("utf-8-sig") for _ in range(2))
    tables = [list(csv.DictReader(io.StringIO(text))) for text in (first, second)]
    names = [{row[side] for row in table for side in ("giver", "receiver")} for table in tables]
    found = {"ties_directed": len(tables[0]), "traders": len(names[0]),
             "minutes_given_exchange": sum(int(row["minutes"]) for row in tables[0])}
    wanted = {key: measures[key] for key in found}
    tap.ok(not differences(wanted, found), "edges: as many ties, traders and minutes as the report has",
           *differences(wanted, found))
    codes = {a["code"] for a in programs.run("account", "list")}
    tap.ok(not names[0] & names[1] and not (names[0] | names[1]) & codes,
           "edges: names are of one export alone, and no codes")
    shape = [sorted((int(row["minutes"]), int(row["entries"])) for row in table) for table in tables]
    order = [[(row["minutes"], row["entries"]) for row in table] for table in tables]
    tap.ok(shape[0] == shape[1] and order[0] != order[1], "edges: the same network, in another order each time")
    place = programs.bank.place + "/edges.graphml"
    with open(place, "wb") as f:
        f.write(Exports.bytes_of(programs, "graphml", *ask))
    checked = subprocess.run(["xmllint", "--noout", place], capture_output=True, text=True)
    tap.ok(checked.returncode == 0, "graphml: well-formed", checked.stderr)
    tree, space = ElementTree.parse(place).getroot(), "{http://graphml.graphdrawing.org/xmlns}"
    nodes = {node.get("id") for node in tree.iter(space + "node")}
    ends = [(edge.get("source"), edge.get("target")) for edge in tree.iter(space + "edge")]
    tap.ok(len(nodes) == measures["traders"] and len(ends) == measures["ties_directed"]
           and all(a in nodes and b in nodes for a, b in ends), "graphml: every edge has its two nodes")


def rights(programs):
    programs.key_make("eye", "--role", "evaluator")
    programs.key_make("auditor", "--role", "auditor")
    refused = []
    for form in ("csv", "edges"):
        try:
            Exports.bytes_of(programs, form, "--from", "2024-04-01", "--to", "2025-03-31", by="eye")
        except RuntimeError as error:
            refused.append(str(error))
    tap.ok(len(refused) == 2 and all(": 1 " in line for line in refused), "an evaluator's key exports nothing", *refused)
    same = (Exports.bytes_of(programs, "ledger", by="auditor") == Exports.bytes_of(programs, "ledger"))
    tap.ok(same, "an auditor's key exports what a steward's does")


def main():
    two_years()
    every_kind()
    what_falls_due()
    tap.end()
    return 1 if tap.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
