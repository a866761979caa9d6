#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Reports that leave the bank: an evaluator's key gets its class and nothing laxer, what it gets is on record first,
comes again as the same bytes, and no two that left tell of a few people."""
import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from served_bank import BUILT, TIMEBANK, ServedBank

YEAR = ("--from", "2024-04-01", "--to", "2025-03-31")
AUDIT = os.path.join(BUILT, "clients", "audit", "timebank-audit")


class Scene:
    def __init__(self):
        self.bank = ServedBank()
        self.env = dict(os.environ, TIMEBANK="unix:" + self.bank.path, LC_ALL="C.UTF-8")
        self.env.pop("TIMEBANK_LEDGER", None)
        self.bank.start()

    def path(self, name):
        return f"{self.bank.place}/{name}"

    def run(self, *words, key="steward"):
        env = dict(self.env, TIMEBANK_KEY=self.path(key + ".key"), XDG_STATE_HOME=self.path("state-" + key))
        return subprocess.run([TIMEBANK, *words], env=env, capture_output=True, text=True, timeout=60)

    def done(self, *words, key="steward"):
        done = self.run(*words, key=key)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode} {done.stdout}{done.stderr}"
        return done

    def json(self, *words, key="steward"):
        return json.loads(self.done("--json", *words, key=key).stdout.splitlines()[0])

    def lines(self, *words, key="steward"):
        return [json.loads(line) for line in self.done("--json", *words, key=key).stdout.splitlines()]

    def refused(self, name, *words, key="steward"):
        done = self.run("--json", *words, key=key)
        told = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        tap.ok(done.returncode == 1 and told.get("refused") == name, f"{key}: {' '.join(words)} is refused: {name}",
               done.stdout, done.stderr)
        return told

    def key(self, name, *grant):
        self.bank.key_new(self.path(name + ".key"))
        self.done("key", "grant", self.path(name + ".key.pub"), "--role", *grant)

    def exchanges(self, rows):
        """(giver, receiver, minutes, day), in one import."""
        with open(self.path("rows.csv"), "w") as f:
            f.write("ref,kind,service_date,giver,receiver,minutes,activity\n")
            for giver, receiver, minutes, day, activity in rows:
                self.n_rows = getattr(self, "n_rows", 0) + 1
                f.write(f"r{self.n_rows},exchange,{day},{giver},{receiver},{minutes},{activity}\n")
        return self.done("import", self.path("rows.csv"))

    def report(self, *words, key, period=YEAR):
        return self.done("--json", "report", *period, *words, key=key)


def furnish(s):
    s.members = [f"m{i:04}" for i in range(1, 31)]
    for code in s.members:
        s.done("account", "open", code, "--kind", "member", "--joined", "2024-01-01")
    for activity in ("gardening", "lifts"):
        s.done("activity", "add", activity)
    s.done("policy", "set", "floor-member", "none")
    s.done("policy", "set", "ceiling-member", "none")
    s.key("funder", "evaluator")
    s.key("public", "evaluator", "--class", "public")
    s.key("broker", "broker")
    s.key("auditor", "auditor")
    # Every member gives every month, each as much as the next: nothing dominates.
    rows = []
    for month in range(12):
        year, number = 2024 + (month + 3) // 12, (month + 3) % 12 + 1
        for i, giver in enumerate(s.members):
            rows.append((giver, s.members[(i + month + 1) % 30], 60 + 15 * (i % 3), f"{year}-{number:02}-{i % 27 + 1:02}",
                         ("gardening", "lifts")[i % 2]))
    s.exchanges(rows)


def test_rights(s):
    s.bank.key_new(s.path("x.key"))
    s.refused("BAD_ROLE", "key", "grant", s.path("x.key.pub"), "--role", "broker", "--class", "funder")
    s.refused("BAD_ROLE", "key", "grant", s.path("x.key.pub"), "--role", "evaluator", "--class", "internal")
    done = s.run("key", "grant", s.path("x.key.pub"), "--role", "evaluator", "--class", "everything")
    tap.ok(done.returncode == 64, "there is no other class", done.stderr)
    classes = {row["public"]: row["class"] for row in s.lines("key", "list")}
    told = [classes[" ".join(open(s.path(n + ".key.pub")).read().split()[:2])] for n in ("funder", "public", "broker")]
    tap.ok(told == ["funder", "public", None], "the list of keys shows an evaluator's class, funder by default", told)
    s.refused("CLASS_NOT_YOURS", "report", *YEAR, "--class", "internal", key="funder")
    s.refused("CLASS_NOT_YOURS", "report", *YEAR, "--class", "funder", key="public")
    s.refused("BAD_RELEASE", "report", *YEAR, "--release")
    s.refused("NO_AUTHORITY", "report", *YEAR, "--release", "--class", "funder", key="auditor")
    s.refused("NO_AUTHORITY", "account", "list", key="funder")
    s.refused("NO_AUTHORITY", "activity", "add", "spying", key="funder")
    tap.ok(s.lines("report", "list") == [], "nothing of that has left the bank")


def test_evaluator(s):
    draft = s.report("--class", "funder", key="broker")
    tap.ok(s.lines("report", "list") == [] and json.loads(draft.stdout)["class"] == "funder",
           "a broker's report of the class funder is a draft: nothing is on record")
    first = s.report(key="funder")
    tap.ok("Released as entry" in first.stderr, "an evaluator is told that the figures are on record", first.stderr)
    report = json.loads(first.stdout)
    releases = s.lines("report", "list", key="funder")
    tap.ok(len(releases) == 1 and releases[0]["checksum"] == report["checksum"]
           and releases[0]["size"] == report["position"]["size"] and releases[0]["class"] == "funder",
           "and they are, with position and checksum", releases)
    tap.ok(report["measures"] == json.loads(draft.stdout)["measures"], "they are those of the broker's draft")
    again = s.report(key="funder")
    tap.ok(again.stdout == first.stdout and not again.stderr, "asked again it is the same bytes, and released once", again.stderr)
    tap.ok(s.lines("report", "list", key="public") == [], "a key of the class public does not see it in the list")
    s.refused("CLASS_NOT_YOURS", "report", *YEAR, "--class", "funder", key="public")
    public = s.report(key="public")
    tap.ok(json.loads(public.stdout)["class"] == "public" and "Released" in public.stderr, "it gets its own class", public.stderr)
    other = s.report("--class", "public", key="funder")
    tap.ok(other.stdout == public.stdout and not other.stderr, "which a funder's key may have, too: it was released already")
    why = s.json("report", "--why", "givers", *YEAR, key="funder")
    tap.ok(why["value"] == report["measures"]["givers"] and "entries" not in why, "it may ask what a figure is, without entries", why)
    s.refused("CLASS_NOT_YOURS", "report", "--why", "between_wards", *YEAR, key="funder")
    s.refused("NO_AUTHORITY", "export", "--format", "edges", *YEAR, key="funder")
    s.refused("NO_AUTHORITY", "export", "--format", "csv", key="funder")
    words = s.done("entry", "show", str(releases[0]["entry"])).stdout
    tap.ok("funder report of 2024-04-01 to 2025-03-31 has left the bank" in words, "the entry says so in words", words)
    return report, first.stdout


def test_guard(s, report, released):
    at = ("--at", str(report["position"]["size"]), "--as-known-at", report["as_known_at"])
    s.exchanges([(s.members[0], s.members[1], 45, "2024-06-14", "gardening")])
    told = s.refused("TOO_CLOSE", "report", *YEAR, key="funder")
    tap.ok(f"--at {at[1]}" in told.get("message", ""), "the refusal says where the released one stands", told)
    s.refused("TOO_CLOSE", "report", *YEAR, "--release", "--class", "funder", key="broker")
    s.refused("TOO_CLOSE", "report", "--from", "2024-06-01", "--to", "2024-06-30", key="funder")
    tap.ok(s.report(*at, key="funder").stdout == released, "the released one is given, as it was")
    tap.ok(s.report("--class", "funder", *at, key="broker").stdout == released, "a broker's draft at its position has its bytes")
    other = s.report(key="funder", period=("--from", "2024-07-01", "--to", "2024-09-30"))
    tap.ok("Released" in other.stderr, "months that the late entry is not in are released as they stand", other.stderr)
    s.exchanges([(s.members[i], s.members[(i + 7) % 30], 45, "2024-06-14", "gardening") for i in range(1, 24)])
    many = s.report(key="funder")
    tap.ok("Released" in many.stderr, "with as many late entries as tell of nobody it may leave", many.stderr)
    tap.ok(s.report(*at, key="funder").stdout == released, "and the earlier one is still given as it was")
    return many.stdout


def test_compare(s, report):
    """Why two reports differ: late entries, what was taken back, merged accounts."""
    released = s.path("released.json")
    with open(released, "w") as f:
        f.write(json.dumps(report, separators=(",", ":")) + "\n")
    told = json.loads(s.done("--json", "report", "--compare", released, key="funder").stdout)
    tap.ok("entries" not in told and told["figures"] and told["class"] == "funder",
           "an evaluator hears which figures differ, of what left the bank, and no entries", told)
    old, quarter = s.path("old.json"), ("--from", "2024-07-01", "--to", "2024-09-30")
    with open(old, "w") as f:
        f.write(s.done("--json", "report", *quarter).stdout)
    tap.ok("Nothing differs" in s.done("report", "--compare", old).stdout, "nothing differs while nothing came")
    s.exchanges([(s.members[2], s.members[3], 90, "2024-07-14", "lifts"), (s.members[4], s.members[3], 180, "2024-08-14", "lifts")])
    late = s.lines("statement", "m0005", "--json")
    entry = str(max(line["entry"] for line in late[0]["lines"])) if "lines" in late[0] else str(late[-1]["entry"])
    with open(s.path("later.json"), "w") as f:
        f.write(s.done("--json", "report", *quarter).stdout)
    s.done("reverse", entry, "it was another month")
    s.done("account", "open", "m0500", "--kind", "member")
    s.done("account", "merge", "m0500", "--into", "m0001", "joined twice")
    told = json.loads(s.done("--json", "report", "--compare", old).stdout)
    found = [(c["why"], c["minutes"]) for c in told["entries"]]
    tap.ok(found == [("late", 90), ("merge", 0)], "an entry that came and was taken back between is none of them", told["entries"])
    told = json.loads(s.done("--json", "report", "--compare", s.path("later.json")).stdout)
    found = [(c["why"], c["minutes"]) for c in told["entries"]]
    tap.ok(found == [("reversal", -180), ("merge", 0)], "what was taken back since is", told["entries"])
    moved = {f["measure"]: (f["since"], f["now"]) for f in told["figures"]}
    tap.ok(moved["minutes_given"][0] - moved["minutes_given"][1] == 180 and "by_month/2024-08/minutes_given" in moved,
           "and so is each figure that it moved", moved)
    words = s.done("report", "--compare", old).stdout
    tap.ok("1 entry came late: +1 h 30" in words and "1 account was merged" in words, "in words", words)
    given = json.loads(s.done("--json", "report", *quarter).stdout)["measures"]["minutes_given"]
    before = json.load(open(old))["measures"]["minutes_given"]
    told = json.loads(s.done("--json", "report", "--compare", old).stdout)
    tap.ok(sum(c["minutes"] for c in told["entries"]) == given - before, "the minutes of the entries sum to the difference")
    other = s.path("other.json")
    with open(other, "w") as f:
        f.write(json.dumps(dict(report, bank="other.example/timebank")) + "\n")
    s.refused("BAD_FILE", "report", "--compare", other)
    s.refused("NO_SUCH_POSITION", "report", "--from", "2024-07-01", "--to", "2024-09-30", "--at", "99999999")


def test_once(s):
    """Killed between the release and the question after it: released once, and given."""
    quarter = ("--from", "2024-10-01", "--to", "2024-12-31")
    env = dict(s.env, TIMEBANK_KEY=s.path("funder.key"), XDG_STATE_HOME=s.path("state-funder"))
    before = len(s.lines("report", "list"))
    for delay in (0.005, 0.01, 0.02, 0.03, 0.04, 0.06):
        asking = subprocess.Popen([TIMEBANK, "--json", "report", *quarter], env=env, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        time.sleep(delay)
        asking.send_signal(signal.SIGKILL)
        asking.wait()
    first = s.report(key="funder", period=quarter)
    tap.ok(len(s.lines("report", "list")) == before + 1, "a program killed at any moment of it releases once")
    tap.ok(s.bank.stop() == 0, "the bank stops")
    s.bank.start()
    again = s.report(key="funder", period=quarter)
    tap.ok(again.stdout == first.stdout and not again.stderr, "and after a restart it is the same bytes")
    s.bank.daemon.kill()
    s.bank.daemon.wait()
    os.unlink(s.bank.path)
    s.bank.start()
    tap.ok(s.report(key="funder", period=quarter).stdout == first.stdout, "and after a kill")


def test_wards(s):
    """Somebody is erased: a report that left says no more about wards."""
    month = ("--from", "2025-05-01", "--to", "2025-05-31")
    for code, ward in (("m0998", "north"), ("m0997", "south")):
        s.done("account", "open", code, "--kind", "member", "--ward", ward)
    s.exchanges([("m0998", "m0997", 60, "2025-05-14", "lifts"), ("m0997", "m0998", 60, "2025-05-15", "lifts")])
    first = json.loads(s.report(key="funder", period=month).stdout)
    tap.ok("[x]" not in first["register_measures"].values(), "it may say something about wards", first["register_measures"])
    at = ("--at", str(first["position"]["size"]), "--as-known-at", first["as_known_at"])
    s.done("account", "close", "m0998", "gone")
    s.done("erase", "m0998")
    again = s.report(*at, key="funder", period=month)
    told = json.loads(again.stdout)
    tap.ok(set(map(json.dumps, told["register_measures"].values())) <= {'"[x]"', "{}"},
           "but not once somebody is gone", told["register_measures"])
    tap.ok(told["measures"] == first["measures"] and told["checksum"] == first["checksum"] and not again.stderr,
           "the measures are those that left")
    tap.ok(s.report(*at, key="funder", period=month).stdout == again.stdout, "and that stays the same bytes")


def rests_on_figures_left(report):
    text = json.dumps(report["register_measures"], sort_keys=True, separators=(",", ":"))
    return report["register"] == report["register_age_bands"] == hashlib.sha256(text.encode()).hexdigest()


def is_left_out(report):
    return set(map(json.dumps, report["register_measures"].values())) <= {'"[x]"', "{}"}


def test_apart(s):
    """Two reports that share days and rest on the register of people at two times: their difference would be one
    person's hours from ward to ward."""
    def period(first, last):
        return "--from", f"2025-{first:02}-01", "--to", f"2025-{last:02}-{(31, 30)[last in (9, 11)]}"
    def ring(codes, day):
        return [(giver, codes[i - 1], 60, day, "lifts") for i, giver in enumerate(codes)]
    wards = {ward: [f"{ward[0]}{i:04}" for i in range(12)] for ward in ("north", "south")}
    for ward, codes in wards.items():
        for code in codes:
            s.done("account", "open", code, "--kind", "member", "--ward", ward)
    everybody = (*wards.values(), s.members)
    s.exchanges([row for month in (7, 8, 9, 10) for codes in everybody for row in ring(codes, f"2025-{month:02}-14")])
    first = json.loads(s.report(key="funder", period=period(8, 8)).stdout)
    tap.ok(first["register_measures"]["between_wards"]["north"]["north"] == {"minutes_given": 720, "ties": 12},
           "time between wards leaves the bank", first["register_measures"])
    s.exchanges([(giver, wards["north"][i - 1], 30, "2025-08-15", "lifts") for i, giver in enumerate(wards["north"])]
                + [(wards["south"][3], wards["south"][2], 30, "2025-08-15", "lifts")])
    late = json.loads(s.report(key="funder", period=period(8, 8)).stdout)
    tap.ok(late["measures"]["minutes_given"] == first["measures"]["minutes_given"] + 390 and is_left_out(late),
           "beside late entries of many it does not: from one ward to another they are one person's", late["register_measures"])
    tap.ok(rests_on_figures_left(first) and rests_on_figures_left(late), "and the hashes are of the figures that are left")
    json.loads(s.report(key="funder", period=period(9, 9)).stdout)
    s.done("account", "close", "s0000", "gone")
    s.done("erase", "s0000")
    moved = json.loads(s.report(key="funder", period=period(9, 10)).stdout)
    tap.ok(is_left_out(moved), "nor once somebody is erased, in a report that shares days with one from before",
           moved["register_measures"])
    other = json.loads(s.report(key="funder", period=period(7, 7)).stdout)
    tap.ok(not is_left_out(other), "in one of other days it does", other["register_measures"])
    again = s.report(key="funder", period=period(9, 9)).stdout
    tap.ok(is_left_out(json.loads(again)) and rests_on_figures_left(json.loads(again)),
           "and no hash tells what is left out", again)
    s.done("account", "close", "s0001", "gone")
    s.done("erase", "s0001")
    tap.ok(s.report(key="funder", period=period(9, 9)).stdout == again, "whoever is erased next changes no byte of it")
    s.exchanges([(codes[i], codes[i - 1], 60, "2025-12-14", "lifts") for codes in everybody for i in range(3, 12)])
    s.exchanges([(wards[ward][i], wards[other][i], 60, "2025-12-14", "lifts")
                 for ward, other in (("north", "south"), ("south", "north")) for i in (2, *range(6, 12))])
    december = period(12, 12)
    json.loads(s.report(key="funder", period=december).stdout)
    s.done("account", "merge", "n0005", "--into", "s0005", "one person")
    merged = json.loads(s.report(key="funder", period=december).stdout)
    tap.ok(is_left_out(merged), "nor once accounts of two wards are one", merged["register_measures"])


def test_bands(s):
    """Late entries of several, one of whom is the only one who gets into another band."""
    january = ("--from", "2026-01-01", "--to", "2026-01-31")
    s.exchanges([(giver, s.members[i - 1], 240 if i < 20 else 480, "2026-01-14", "lifts")
                 for i, giver in enumerate(s.members)])
    first = json.loads(s.report(key="funder", period=january).stdout)
    s.exchanges([(s.members[i], s.members[i + 10], 60 if i == 6 else 30, "2026-01-15", "lifts") for i in range(7)])
    late = json.loads(s.report(key="funder", period=january).stdout)
    s.exchanges([(s.members[i], s.members[i + 10], 600 if i == 7 else 15, "2026-01-16", "lifts") for i in range(8)])
    s.refused("TOO_CLOSE", "report", *january, key="funder")
    bands = [report["further_measures"]["by_band"]["5_to_20_h"] for report in (first, late)]
    tap.ok([band["givers"] for band in bands] == [10, 11], "somebody gets into another band", bands)
    tap.ok([band["minutes_given"] for band in bands] == ["[x]", "[x]"], "and all that they gave does not follow", bands)
    tap.ok(late["measures"]["top_tenth_minutes"] in ("[c]", first["measures"]["top_tenth_minutes"]),
           "nor from what the tenth gave who gave most", late["measures"]["top_tenth_minutes"])


def test_broker(s):
    """A broker releases what an evaluator then gets as it was, and many questions push none out of sight."""
    quarter = ("--from", "2023-07-01", "--to", "2023-09-30")
    s.exchanges([(s.members[i], s.members[i + 1], 60, "2023-07-14", "lifts") for i in range(20)])
    released = s.report("--class", "funder", "--release", key="broker", period=quarter)
    tap.ok("Released" in released.stderr, "a broker releases a report where asked to", released.stderr)
    given = s.report(key="funder", period=quarter)
    tap.ok(given.stdout == released.stdout and not given.stderr, "and an evaluator gets that one")
    s.exchanges([(s.members[0], s.members[1], 45, "2023-07-15", "lifts")])
    for month in ("2023-08", "2023-09"):
        for last in ("2023-08-31", "2023-09-30"):
            if month <= last:
                s.report(key="funder", period=("--from", month + "-01", "--to", last))
    s.refused("TOO_CLOSE", "report", *quarter, key="funder")
    s.refused("TOO_CLOSE", "report", "--from", "2023-07-01", "--to", "2023-07-31", key="public")


def test_bounds(s):
    """One key fills no log with questions."""
    month = ("--from", "2025-06-01", "--to", "2025-06-30")
    s.refused("BAD_RELEASE", "report", *month, "--as-known-at", "2999-01-01", key="public")
    refused = 0
    for i in range(102):
        year, month = 2010 + i // 12, i % 12 + 1
        last = datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(days=1)
        done = s.run("--json", "report", "--from", f"{year}-{month:02}-01", "--to", last.isoformat(), key="public")
        refused += "BAD_RELEASE" in done.stdout
    tap.ok(0 < refused < 30, "a key releases so many reports in a day, and no more", refused, done.stdout)


def test_audit(s):
    if not os.path.exists(AUDIT):
        tap.skip("an auditor of its own agrees", "there is no Go here")
        return
    s.done("ledger", "export", s.path("export"), "--entries")
    done = subprocess.run([AUDIT, "ledger", s.path("export"), s.bank.verifier_key], capture_output=True, text=True)
    tap.ok(done.returncode == 0, "an auditor of its own agrees with every release", done.stdout, done.stderr)


def main():
    s = Scene()
    try:
        furnish(s)
        test_rights(s)
        report, released = test_evaluator(s)
        test_guard(s, report, released)
        test_compare(s, report)
        test_once(s)
        test_wards(s)
        test_apart(s)
        test_bands(s)
        test_broker(s)
        test_bounds(s)
        test_audit(s)
        tap.ok(s.bank.stop() == 0 and s.bank.check() is None, "the ledger is sound, replayed from its first record")
    finally:
        s.bank.end()
    tap.end()


if __name__ == "__main__":
    main()
