#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What every figure is made of: in a scheme that uses every kind, timebank report --why is asked of
each figure of several reports. Where the figure is a sum of entries, the list adds up to it; where it
counts people, so many stand behind the list; and where there is no list it says what it counts from."""
import importlib.util
import json
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from other_language import Client, Refused, message_types, read_secret_key
from served_bank import SOURCE, ServedBank

spec = importlib.util.spec_from_file_location("figures", os.path.join(HERE, "test-figures.py"))
figures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(figures)

GROUPS = ("measures", "further_measures", "register_measures")
PERSONS = ("givers receivers redeemers participants two_way new_givers returning_givers previous_givers retained_givers "
           "lapsed_givers frequent_givers traders milestone_20_h milestone_50_h milestone_100_h").split()
NAMES_A_TABLE = 2


def leaves(value, path, rand):
    """Paths to figures and what they are; of a table a few names."""
    yield path, value
    if isinstance(value, dict):
        names = sorted(value)
        for name in rand.sample(names, min(len(names), NAMES_A_TABLE)):
            yield from leaves(value[name], f"{path}/{name}", rand)


def count_of(answer):
    """What the figure should be by its list, or None."""
    if "sum" in answer:
        return answer["sum"]
    last = answer["measure"].rpartition("/")[2]
    return answer.get("n_persons", 0) if last in PERSONS and "entries" in answer else None


def wrong_with(answer, report, value):
    if answer["value"] != value:
        return f"shows {answer['value']}"
    if any(answer.get(key) != report.get(key) for key in ("bank", "from", "to", "as_known_at", "class", "position", "rule")):
        return "is of another report"
    if not answer["formula"] or not answer["title"] or not answer["unit"]:
        return "says nothing in words"
    if ("counted_from" in answer) == ("entries" in answer):
        return "neither lists entries nor says what it counts from"
    if isinstance(value, int) and count_of(answer) not in (None, value):
        return f"is {value}, its entries give {count_of(answer)}"
    listed = answer.get("entries", [])
    if "sum" in answer and not answer.get("more") and sum(entry["counts"] for entry in listed) != answer["sum"]:
        return "lists what does not add up to its sum"
    numbers = [entry["entry"] for entry in listed]
    if numbers != sorted(numbers) or (not answer.get("more") and len(set(numbers)) != answer.get("n_entries", 0)):
        return "lists other entries than it counts"
    return None


class Asker:
    def __init__(self, bank, pb):
        self.pb = pb
        self.client = Client(pb, bank.path, read_secret_key(bank.key_path), bank.verifier_key)

    def ask(self, begin, end, **more):
        days = [(figures.datetime.date.fromisoformat(day) - figures.datetime.date(1970, 1, 1)).days for day in (begin, end)]
        ask = self.pb.AskReport(from_day=days[0], to_day=days[1], **more)
        return json.loads(self.client.ask(report=ask).json)

    def why(self, begin, end, path, **more):
        return self.ask(begin, end, what=self.pb.WHY, why=path, **more)


def walk(asker, begin, end, rand):
    report = asker.ask(begin, end)
    bad, n_sums, n_listed = [], 0, 0
    for group in GROUPS:
        for key, value in report[group].items():
            for path, leaf in leaves(value, key, rand):
                answer = asker.why(begin, end, path, at_size=report["position"]["size"])
                fault = wrong_with(answer, report, leaf)
                n_sums += "sum" in answer
                n_listed += len(answer.get("entries", []))
                bad += [f"{path} {fault}"] if fault else []
    tap.ok(not bad and n_sums > 20 and n_listed > 100,
           f"every figure is made of what it says, from {begin} to {end}", *bad, f"{n_sums} sums, {n_listed} listed")
    return report


def double(programs, place):
    """The same scheme once more, under other accounts and refs."""
    for name, columns in ("accounts", ["code"]), ("entries", ["ref", "giver", "receiver", "from", "to", "reverses"]):
        with open(f"{figures.YEARS}/{name}.csv", newline="") as old, open(f"{place}/{name}.csv", "w", newline="") as new:
            rows = figures.csv.DictReader(old)
            writer = figures.csv.DictWriter(new, rows.fieldnames)
            writer.writeheader()
            for row in rows:
                for column in columns:
                    own = row[column] in ("", "chest", "issued") or row.get("kind") == "chest"
                    row[column] = row[column] if own else "z" + row[column]
                writer.writerow(row)
    programs.run("import", "--history", f"{place}/accounts.csv", f"{place}/entries.csv")


def pages(asker, begin, end):
    """A page holds 10,000 lines: what two schemes of two years gave takes more than one."""
    whole, after, n = 0, 0, 0
    while True:
        answer = asker.why(begin, end, "minutes_given", why_after=after)
        whole += sum(entry["counts"] for entry in answer["entries"])
        n += 1
        if not answer.get("more"):
            break
        after = answer["entries"][-1]["entry"]
    tap.ok(whole == answer["value"] == answer["sum"] and n > 1, "pages add up to the figure",
           f"{whole} {answer['value']}, {n} pages")
    first = asker.why(begin, begin, "minutes_given_exchange")["entries"]
    rest = asker.why(begin, begin, "minutes_given_exchange", why_after=first[2]["entry"])["entries"]
    tap.ok(rest == [entry for entry in first if entry["entry"] > first[2]["entry"]], "a page begins after the entry named")


def classes(asker, begin, end):
    """Nobody outside the bank gets a list, nor a number behind what is hidden."""
    for report_class in (asker.pb.FOR_FUNDER, asker.pb.FOR_PUBLIC):
        report = asker.ask(begin, end, report_class=report_class)
        bad, rand = [], random.Random(1)
        paths = [leaf for group in GROUPS for key, value in report.get(group, {}).items()
                 for leaf in leaves(value, key, rand)]
        for path, leaf in rand.sample(paths, 40):
            answer = asker.why(begin, end, path, report_class=report_class)
            if {"entries", "sum", "n_persons"} & set(answer) or answer["value"] != leaf:
                bad.append(f"{path} tells {sorted(answer)}")
            if "n_entries" in answer and not isinstance(leaf, int):
                bad.append(f"{path} tells how many entries are behind {leaf}")
        tap.ok(not bad, f"of the class {report['class']} nothing is listed", *bad)


def refusals(asker, begin, end):
    for path, word in [("giver", "givers"), ("minutes_gven", "minutes_given"), ("x" * 2000, None), ("", None),
                       ("by_month/1999-01", "by_month"), ("givers/m0001", "givers"), ("by_month/", None),
                       ("by_activity/gardening/givers/more", "by_activity"), ("measures/", None), ("%s%n", None)]:
        try:
            asker.why(begin, end, path)
            tap.ok(False, f"{path[:20]!r} is no figure")
        except Refused as refused:
            said = str(refused)
            tap.ok(word is None or word in said, f"{path[:20]!r} is no figure, and what is near is named", said)


def main():
    with tempfile.TemporaryDirectory() as place:
        pb = message_types(SOURCE, place)
    bank = ServedBank()
    try:
        bank.start()
        programs = figures.Programs(bank)
        scheme = figures.Scheme(programs, random.Random(7))
        while scheme.n_entered < 120:
            scheme.step()
        asker = Asker(bank, pb)
        rand = random.Random(3)
        for begin, end in [(figures.iso(90), figures.iso(0))]:
            walk(asker, begin, end, rand)
        asker.client.close()
    finally:
        bank.end()
    bank = ServedBank()
    try:
        bank.start()
        programs = figures.Programs(bank)
        programs.run("import", "--history", f"{figures.YEARS}/accounts.csv", f"{figures.YEARS}/entries.csv")
        double(programs, bank.place)
        asker = Asker(bank, pb)
        walk(asker, "2024-04-01", "2024-06-30", random.Random(5))
        pages(asker, "2023-04-01", "2025-12-31")
        classes(asker, "2024-04-01", "2024-06-30")
        refusals(asker, "2024-04-01", "2024-06-30")
        asker.client.close()
    finally:
        bank.end()
    tap.end()
    return 1 if tap.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
