#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A scheme that uses every kind, entered by its programs in random order, beside a plain model of
what report.md calls a measure. The model knows what was recorded and nothing of the daemon: the
report has to show its figures, in several periods, now and at an earlier position, and the balances
have to be those that it added up. FIGURES_SEED and FIGURES_ORDERS vary it."""
import csv
import datetime
import glob
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "check")]

import tap
from figures_further import Books, Member, Row
from served_bank import TIMEBANK, ServedBank

SEED = int(os.environ.get("FIGURES_SEED", "1"))
N_ORDERS = int(os.environ.get("FIGURES_ORDERS", "300"))
MEMBERS = [f"m{i:03d}" for i in range(1, 13)]
HOUSEHOLD = "h001"
ORGANISATIONS = ["shed", "food-bank"]
VENUES = ["pool", "cafe"]
ACTIVITIES = ["gardening", "cooking"]
TAGS = ["five-ways:connect", "five-ways:give", "five-ways:learn", "outdoors", "food"]
WARDS = ["", "north", "south"]
AGES = ["", "18-29", "65-74"]
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
SERVICE, VISIT = ("exchange", "earn", "session"), "redeem"
OUTSTANDING_KINDS = "member organisation chest vouchers"


def iso(days_ago):
    return (TODAY - datetime.timedelta(days=days_ago)).isoformat()


class Refused(Exception):
    pass


class Programs:
    """timebank, run as a person would."""

    def __init__(self, bank):
        self.bank = bank
        self.env = dict(os.environ, TIMEBANK="unix:" + bank.path, XDG_STATE_HOME=bank.place + "/state")

    def key(self, name):
        return self.bank.key_path if name == "steward" else f"{self.bank.place}/{name}.key"

    def run(self, *words, by="steward"):
        done = subprocess.run([TIMEBANK, "--key", self.key(by), "--json", *map(str, words)],
                              env=self.env, capture_output=True, text=True)
        if done.returncode == 1:
            raise Refused(f"{' '.join(map(str, words))}: {done.stdout.strip()}")
        if done.returncode:
            raise RuntimeError(f"{words}: {done.returncode} {done.stdout} {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def entry(self, *words, by="steward"):
        return self.run(*words, by=by)[0]["entry"]

    def key_make(self, name, *grant):
        self.bank.key_new(self.key(name))
        self.run("key", "grant", self.key(name) + ".pub", *grant)


# ------------------------------------------------------------------------------ the model

class Entry:
    """What counts: one for each entry that has taken effect."""

    def __init__(self, kind, day, minutes, **facts):
        self.kind, self.day, self.minutes, self.taken = kind, day, minutes, 0
        self.givers, self.receivers = facts.pop("givers", []), facts.pop("receivers", [])
        self.repaid, self.owner = facts.pop("repaid", 0), facts.pop("owner", None)
        self.facts = facts

    @property
    def left(self):
        return self.minutes - self.taken

    @property
    def repaid_left(self):
        return min(self.repaid, self.left)

    def __getattr__(self, name):
        if name == "facts":
            raise AttributeError(name)
        return self.facts.get(name)


class Model:
    def __init__(self):
        self.entries, self.corrections, self.owed = [], [], {}
        self.flows = []      # date of service, change of what is outstanding, kind, minutes
        self.balances = {}   # now, by code
        self.survivor = {}   # of merged accounts
        self.waiting = []    # dates of service of proposals
        self.records = []    # what each did: date of service, entry that it is about, change by account
        self.joined = {}     # date of joining of members' accounts, and of further persons of them
        self.left = {}
        self.closed = {}     # of accounts
        self.tags, self.wards, self.ages = {}, {}, {}

    def move(self, giver, taker, minutes):
        for code, change in ((giver, -minutes), (taker, minutes)):
            account = code.split("/")[0]
            self.balances[account] = self.balances.get(account, 0) + change

    def record(self, day, about, *legs):
        """What a record did to what accounts have, what lies in transit for them included."""
        changes = {}
        for code, change in legs:
            account = code.split("/")[0]
            changes[account] = changes.get(account, 0) + change
        self.records.append((day, about, changes))

    def flow(self, day, outstanding, kind="", minutes=0):
        self.flows.append((day, outstanding, kind, minutes))

    def add(self, entry):
        self.entries.append(entry)
        return entry

    def earn(self, entry, giver, minutes):
        """What of an hour repays an advance first."""
        account = giver.split("/")[0]
        repaid = min(self.owed.get(account, 0), minutes)
        self.owed[account] = self.owed.get(account, 0) - repaid
        self.move(giver, "advances", repaid)
        entry.repaid += repaid
        if repaid:
            self.flow(entry.day, -repaid, "repaid", repaid)
        return repaid

    def take_back(self, entry, minutes):
        before = entry.repaid_left
        entry.taken += minutes
        back = before - entry.repaid_left
        if back:
            self.owed[entry.owner.split("/")[0]] += back
            self.move("advances", entry.owner, back)
            self.flow(entry.day, back, "repaid", -back)
        self.corrections.append(entry.day)
        return back

    def person(self, code):
        account, _, name = code.partition("/")
        while account in self.survivor:
            account = self.survivor[account]
        return account + (f"/{name}" if name not in ("", "1") else "")

    # -------------------------------------------------------------------- for the second list

    def books(self):
        books = Books()
        for e in self.entries:
            if e.left > 0:
                gives = self.gives(e) if e.kind in SERVICE else []
                takes = [self.person(code) for code in e.receivers] if e.kind in ("exchange", "session") else []
                books.rows.append(Row(e.kind, e.day, e.left, gives, takes,
                                      self.person(e.member) if e.kind == VISIT and e.member else None,
                                      e.organisation if e.kind == "earn" else None, e.activity, e.programme))
        for day, about, changes in self.records:
            for account, minutes in changes.items():
                is_gain = about != "merge" and not (isinstance(about, Entry) and about.left == 0)
                books.changes.append((day, self.person(account), minutes, is_gain))
        people = {}
        for code, joined in self.joined.items():
            person = self.person(code)
            people[person] = min(joined, people.get(person, joined))
        books.members = [Member(person, joined, self.left.get(person)) for person, joined in people.items()]
        books.accounts = [Member(code, joined, self.closed.get(code)) for code, joined in self.joined.items()
                          if "/" not in code and code not in self.survivor]
        books.kinds = {**{m.person: "member" for m in books.accounts}, **dict.fromkeys(ORGANISATIONS, "organisation"),
                       "chest": "chest", "vouchers": "vouchers"}
        books.tags = self.tags
        for person in {person for row in books.rows for person in [p for p, _ in row.gives] + row.takes}:
            books.wards[person] = self.wards.get(person.split("/")[0]) or "unknown"
            books.ages[person] = self.ages.get(person.split("/")[0]) or "unknown"
        return books

    # -------------------------------------------------------------------- what report.md defines

    def counted(self, begin, end):
        return [e for e in self.entries if e.left > 0 and begin <= e.day <= end]

    def gives(self, entry):
        """Person and minutes of each giver."""
        if entry.kind == "session":
            return [(self.person(code), minutes) for code, minutes in entry.givers]
        return [(self.person(entry.givers[0]), entry.left)]

    def given(self, begin, end):
        sums = {}
        for entry in self.counted(begin, end):
            for person, minutes in self.gives(entry) if entry.kind in SERVICE else []:
                sums[person] = sums.get(person, 0) + minutes
        return sums

    def minutes_of(self, entries, *kinds):
        return sum(e.left for e in entries if e.kind in kinds)

    def flow_of(self, begin, end, kind):
        return sum(f[3] for f in self.flows if f[2] == kind and begin <= f[0] <= end)

    def outstanding(self, end):
        """Up to the end of a day."""
        change = {"issue": 1, "grant": 1, "advance": 1, VISIT: -1}
        return (sum(change[e.kind] * e.left for e in self.entries if e.kind in change and e.day <= end)
                + sum(f[1] for f in self.flows if f[0] <= end))

    def previous(self, begin, end):
        first, last = datetime.date.fromisoformat(begin), datetime.date.fromisoformat(end)
        last_before = first - datetime.timedelta(days=1)
        if first.day == 1 and (last + datetime.timedelta(days=1)).day == 1:
            n_months = last.year * 12 + last.month - first.year * 12 - first.month + 1
            month = first.year * 12 + first.month - 1 - n_months
            return datetime.date(month // 12, month % 12 + 1, 1).isoformat(), last_before.isoformat()
        return (first - (last - first) - datetime.timedelta(days=1)).isoformat(), last_before.isoformat()

    def people(self, begin, end, measures):
        entries = self.counted(begin, end)
        sums = self.given(begin, end)
        givers = set(sums)
        receivers = {self.person(code) for e in entries if e.kind in ("exchange", "session") for code in e.receivers}
        redeemers = {self.person(e.member) for e in entries if e.kind == VISIT and e.member}
        before = set(self.given("0000-00-00", begin)) if begin > "0001" else set()
        before = {person for e in self.entries if e.left > 0 and e.day < begin and e.kind in SERVICE
                  for person, _ in self.gives(e)}
        previous = set(self.given(*self.previous(begin, end)))
        ranked = sorted(sums.values())
        rank = lambda percent: ranked[-(-percent * len(ranked) // 100) - 1] if ranked else 0
        measures.update({
            "givers": len(givers), "receivers": len(receivers), "redeemers": len(redeemers),
            "participants": len(givers | receivers | redeemers), "two_way": len(givers & (receivers | redeemers)),
            "new_givers": len(givers - before), "returning_givers": len(givers & before),
            "previous_givers": len(previous), "retained_givers": len(givers & previous),
            "lapsed_givers": len(previous - givers),
            "median_minutes_per_giver": rank(50), "p90_minutes_per_giver": rank(90),
            "top_tenth_minutes": sum(ranked[len(ranked) - -(-len(ranked) // 10):]) if ranked else 0})

    def ties(self, begin, end, measures):
        pairs = {(self.person(e.givers[0]), self.person(e.receivers[0]))
                 for e in self.counted(begin, end) if e.kind == "exchange"}
        pairs = {pair for pair in pairs if pair[0] != pair[1]}
        measures.update({"ties_directed": len(pairs),
                         "ties_reciprocated": len([p for p in pairs if p[::-1] in pairs]),
                         "ties": len({frozenset(p) for p in pairs}),
                         "traders": len({person for pair in pairs for person in pair})})

    def groups(self, begin, end, measures):
        entries = self.counted(begin, end)
        service = [e for e in entries if e.kind in SERVICE]

        def table(rows, key, minutes, count, people):
            found = {}
            for row in rows:
                group = found.setdefault(key(row), [0, 0, set()])
                group[0] += row.left
                group[1] += 1
                group[2] |= people(row)
            return {name: {minutes: g[0], count[0]: g[1], **({count[1]: len(g[2])} if len(count) > 1 else {})}
                    for name, g in found.items()}

        givers = lambda e: {person for person, _ in self.gives(e)}
        visitors = lambda e: {self.person(e.member)} if e.member else set()
        measures["by_activity"] = table(service, lambda e: e.activity, "minutes_given", ["entries", "givers"], givers)
        measures["by_organisation"] = table([e for e in entries if e.kind == "earn"], lambda e: e.organisation,
                                            "minutes_given", ["entries", "givers"], givers)
        measures["by_funder"] = table([e for e in entries if e.kind == "issue"], lambda e: e.funder,
                                      "minutes_issued", ["entries"], lambda e: set())
        visits = [e for e in entries if e.kind == VISIT]
        count = ["redemptions", "redeemers"]
        measures["by_venue"] = table(visits, lambda e: e.venue, "minutes_redeemed", count, visitors)
        measures["by_offer"] = table(visits, lambda e: f"{e.venue}/{e.offer or 'none'}", "minutes_redeemed", count,
                                     visitors)

    def measures(self, begin, end):
        entries = self.counted(begin, end)
        visits = [e for e in entries if e.kind == VISIT]
        lags = sorted((TODAY - datetime.date.fromisoformat(e.day)).days for e in entries if e.kind in SERVICE)
        day_before = (datetime.date.fromisoformat(begin) - datetime.timedelta(days=1)).isoformat()
        measures = {
            "minutes_given": self.minutes_of(entries, *SERVICE),
            **{f"minutes_given_{kind}": self.minutes_of(entries, kind) for kind in SERVICE},
            "minutes_given_without_credit": self.minutes_of(entries, "log"),
            "minutes_redeemed": self.minutes_of(entries, VISIT), "redemptions": len(visits),
            "admitted_adults": sum(e.adults or 0 for e in visits),
            "admitted_under16": sum(e.under16 or 0 for e in visits),
            "minutes_gifted": self.minutes_of(entries, "gift"), "minutes_donated": self.minutes_of(entries, "donate"),
            "minutes_granted": self.minutes_of(entries, "grant"),
            "minutes_granted_from_chest": self.minutes_of(entries, "chest-grant"),
            "minutes_issued": self.minutes_of(entries, "issue"),
            "minutes_advanced": self.minutes_of(entries, "advance"),
            "minutes_repaid": self.flow_of(begin, end, "repaid"),
            "minutes_retired": self.flow_of(begin, end, "retired"),
            "minutes_expired": self.flow_of(begin, end, "expired"),
            "outstanding_opening": self.outstanding(day_before), "outstanding_closing": self.outstanding(end),
            "corrections": len([day for day in self.corrections if begin <= day <= end]),
            "unconfirmed": len([day for day in self.waiting if begin <= day <= end]),
            "late_over_30_days": len([lag for lag in lags if lag > 30]),
            "lag_median_days": lags[(len(lags) + 1) // 2 - 1] if lags else 0}
        self.people(begin, end, measures)
        self.ties(begin, end, measures)
        self.groups(begin, end, measures)
        return measures


# ------------------------------------------------------------------------------ the scheme

class Scheme:
    """Enters one thing after another; what is refused leaves the model as it was."""

    def __init__(self, programs, dice):
        self.programs, self.dice, self.model = programs, dice, Model()
        self.live = list(MEMBERS)       # members' codes in use
        self.n_entered, self.n_refused, self.used = 0, 0, {}
        self.reversible = []            # (entry number, Entry)
        self.claims, self.gifts, self.holds, self.tokens, self.merges = [], [], [], [], []
        self.n_joined, self.house, self.is_house = 0, ["1"], False
        self.open()

    def open_member(self, code, joined):
        ward, age = self.dice.choice(WARDS), self.dice.choice(AGES)
        words = [*(["--ward", ward] if ward else []), *(["--age-band", age] if age else [])]
        self.programs.run("account", "open", code, "--kind", "member", "--joined", joined, *words)
        self.model.joined[code], self.model.wards[code], self.model.ages[code] = joined, ward, age

    def open(self):
        run = self.programs.run
        for code in [*MEMBERS, HOUSEHOLD]:
            self.open_member(code, "2020-01-01")
        for code in ORGANISATIONS:
            run("account", "open", code, "--kind", "organisation")
        for code in VENUES:
            run("account", "open", code, "--kind", "venue")
            run("offer", "set", code, "swim", "--price", "1h")
            run("offer", "set", code, "lunch", "--price", "30m")
        run("account", "open", "bank:river", "--kind", "bank")
        for name in ACTIVITIES:
            run("activity", "add", name)
        for name, value in {"floor-member": "none", "floor-organisation": "none", "claims": "on", "gift": "pending",
                            "day-refuse": "100000", "day-warn": "100000", "short-allotment": "allow"}.items():
            run("policy", "set", "--", name, value)
        self.programs.key_make("broker", "--role", "broker")
        self.programs.key_make("decider", "--role", "broker")
        for code in MEMBERS[:4]:
            self.programs.key_make(code, "--role", "member", "--account", code)
        self.programs.bank.key_new(self.programs.bank.place + "/vouchers.key")
        run("voucher", "key", "set", self.programs.bank.place + "/vouchers.key.pub")

    def two(self):
        return self.dice.sample(self.live, 2)

    def of_house(self):
        """Somebody of the household, once it has several named as every entry then names them."""
        return f"{HOUSEHOLD}/{self.dice.choice(self.house)}" if self.is_house else HOUSEHOLD

    def day(self):
        return iso(self.dice.randrange(0, 150))

    def time(self):
        return 15 * self.dice.randrange(1, 13)

    def activity(self):
        return self.dice.choice(ACTIVITIES)

    def step(self):
        name = self.dice.choices(list(self.CHANCES), list(self.CHANCES.values()))[0]
        try:
            if getattr(self, "do_" + name)() is not False:
                self.n_entered += 1
                self.used[name] = self.used.get(name, 0) + 1
        except Refused as refused:
            self.n_refused += 1
            if os.environ.get("FIGURES_VERBOSE"):
                print("#", refused)

    # -------------------------------------------------------------------- time

    def record_help(self, number, giver, receiver, day, minutes, activity, kind="exchange"):
        entry = Entry(kind, day, minutes, givers=[giver], receivers=[receiver], owner=giver, activity=activity,
                      organisation=receiver, sides=(receiver, giver))
        self.model.move(receiver, giver, minutes)
        repaid = self.model.earn(entry, giver, minutes)
        self.model.record(day, entry, (receiver, -minutes), (giver, minutes - repaid))
        self.reversible.append((number, self.model.add(entry)))

    def do_exchange(self):
        (giver, receiver), day, minutes, activity = self.two(), self.day(), self.time(), self.activity()
        if self.dice.random() < 0.3:
            giver, receiver = self.dice.choice([(self.of_house(), receiver), (giver, self.of_house())])
        number = self.programs.entry("exchange", "--giver", giver, "--receiver", receiver, "--time", f"{minutes}m",
                                     "--on", day, "--activity", activity, "--again")
        self.record_help(number, giver, receiver, day, minutes, activity)

    def do_earn(self):
        giver, shed = self.dice.choice(self.live), self.dice.choice(ORGANISATIONS)
        day, minutes, activity = self.day(), self.time(), self.activity()
        number = self.programs.entry("earn", "--giver", giver, "--receiver", shed, "--time", f"{minutes}m", "--on", day,
                                     "--activity", activity, "--again")
        self.record_help(number, giver, shed, day, minutes, activity, "earn")

    def do_log(self):
        giver, day, minutes = self.dice.choice(self.live), self.day(), self.time()
        number = self.programs.entry("log", "--giver", giver, "--time", f"{minutes}m", "--on", day, "--activity",
                                     "cooking", "--again")
        self.reversible.append((number, self.model.add(Entry("log", day, minutes, givers=[giver]))))

    def do_session(self):
        people = self.dice.sample(self.live, 4)
        givers = [(code, self.time()) for code in people[:2]]
        total, day, activity = sum(m for _, m in givers), self.day(), self.activity()
        words = ["session", "--on", day, "--activity", activity, "--heads", 3, "--again"]
        words += [f"--giver={code}={minutes}m" for code, minutes in givers]
        rest = self.dice.choice(["chest", "share", "shed"])
        if rest == "shed":
            words, receivers, paid = words + ["--from", "shed"], [], {"shed": total}
        elif rest == "chest":
            receivers = people[2:]
            paid = {code: total for code in receivers}
            words += [f"--receiver={code}={total}m" for code in receivers]
        else: # equal parts; what does not come out even goes to the first
            receivers = people[2:]
            words += ["--rest", "share", *(f"--receiver={code}=1h" for code in receivers)]
            paid = {receivers[0]: total - total // 2, receivers[1]: total // 2}
        number = self.programs.entry(*words)
        entry = Entry("session", day, total, givers=givers, receivers=receivers, activity=activity,
                      paid=paid, owner=None)
        legs = []
        for code, minutes in paid.items():
            self.model.move(code, "chest", minutes)
            legs += [(code, -minutes), ("chest", minutes)]
        for code, minutes in givers:
            self.model.move("chest", code, minutes)
            legs += [("chest", -minutes), (code, minutes - self.model.earn(entry, code, minutes))]
        self.model.record(day, entry, *legs)
        self.model.add(entry)
        if entry.repaid == 0:
            self.reversible.append((number, entry))

    # -------------------------------------------------------------------- credits

    def do_gift(self):
        (giver, taker), day, minutes = self.two(), self.day(), self.time()
        number = self.programs.entry("gift", "--from", giver, "--to", taker, "--time", f"{minutes}m", "--on", day,
                                     "--again", "--propose")
        self.model.move(giver, "transit", minutes)
        self.model.waiting.append(day)
        self.gifts.append((number, giver, taker, day, minutes))

    def do_answer_gift(self):
        if not self.gifts:
            return False
        number, giver, taker, day, minutes = self.gifts.pop(self.dice.randrange(len(self.gifts)))
        answer = self.dice.choice(["accept", "decline"])
        self.programs.run(answer, number, *(["--yes"] if answer == "accept" else []), by="decider")
        self.model.waiting.remove(day)
        self.model.move("transit", taker if answer == "accept" else giver, minutes)
        if answer == "accept":
            entry = self.model.add(Entry("gift", day, minutes, sides=(giver, taker)))
            self.model.record(day, entry, (giver, -minutes), (taker, minutes))
            self.reversible.append((number, entry))
        return True

    def do_claim(self):
        giver = self.dice.choice([code for code in MEMBERS[:4] if code in self.live])
        receiver = self.dice.choice([code for code in self.live if code != giver])
        day, minutes, activity = self.day(), self.time(), self.activity()
        number = self.programs.entry("exchange", "--giver", giver, "--receiver", receiver, "--time", f"{minutes}m",
                                     "--on", day, "--activity", activity, "--again", "--propose", by=giver)
        self.model.waiting.append(day)
        self.claims.append((number, giver, receiver, day, minutes, activity))

    def do_answer_claim(self):
        if not self.claims:
            return False
        claim = self.claims.pop(self.dice.randrange(len(self.claims)))
        answer = self.dice.choice(["confirm", "confirm", "decline"])
        self.programs.run(answer, claim[0], *(["--yes"] if answer == "confirm" else []), by="broker")
        self.model.waiting.remove(claim[3])
        if answer == "confirm":
            self.record_help(*claim)
        return True

    def do_donate(self):
        code, day, minutes = self.dice.choice(self.live), self.day(), self.time()
        number = self.programs.entry("donate", "--from", code, "--time", f"{minutes}m", "--on", day, "--again")
        self.model.move(code, "chest", minutes)
        entry = self.model.add(Entry("donate", day, minutes, sides=(code, "chest")))
        self.model.record(day, entry, (code, -minutes), ("chest", minutes))
        self.reversible.append((number, entry))

    def do_grant(self):
        code, day, minutes = self.dice.choice(self.live), self.day(), self.time()
        source = self.dice.choice(["issued", "chest"])
        number = self.programs.entry("grant", "--to", code, "--from", source, "--time", f"{minutes}m", "--on", day,
                                     "--again")
        self.model.move(source, code, minutes)
        kind = "grant" if source == "issued" else "chest-grant"
        entry = self.model.add(Entry(kind, day, minutes, sides=(source, code)))
        self.model.record(day, entry, (source, -minutes), (code, minutes))
        self.reversible.append((number, entry))

    def do_issue(self):
        shed, day, minutes = self.dice.choice(ORGANISATIONS), self.day(), 60 * self.dice.randrange(1, 40)
        funder, programme = self.dice.choice(["council", "lottery"]), self.dice.choice(["", "winter", "warm homes"])
        number = self.programs.entry("issue", "--to", shed, "--time", f"{minutes}m", "--on", day, "--funder", funder,
                                     "--again", *(["--programme", programme] if programme else []))
        self.model.move("issued", shed, minutes)
        entry = Entry("issue", day, minutes, funder=funder, programme=programme, sides=("issued", shed))
        self.model.record(day, entry, (shed, minutes))
        self.reversible.append((number, self.model.add(entry)))

    def do_advance(self):
        code, day, minutes = self.dice.choice(self.live), self.day(), self.time()
        verb = self.dice.choice([["advance"], ["pledge", "--until", iso(-30)]])
        self.programs.entry(verb[0], "--to", code, "--time", f"{minutes}m", "--on", day, *verb[1:], "--why", "x")
        self.model.move("advances", code, minutes)
        self.model.owed[code] = self.model.owed.get(code, 0) + minutes
        self.model.record(day, self.model.add(Entry("advance", day, minutes)), (code, minutes))

    def do_transfer(self):
        code, day, minutes = self.dice.choice(self.live), self.day(), self.time()
        if self.dice.random() < 0.5:
            self.programs.entry("transfer", "--from", code, "--to", "bank:river", "--time", f"{minutes}m", "--on", day)
            self.model.move(code, "bank:river", minutes)
            self.model.flow(day, -minutes)
            self.model.record(day, None, (code, -minutes))
        else:
            self.programs.entry("transfer", "--from", "bank:river", "--to", code, "--time", f"{minutes}m", "--on", day,
                                "--id", "%032x" % self.dice.getrandbits(128))
            self.model.move("bank:river", code, minutes)
            self.model.flow(day, minutes)
            self.model.record(day, None, (code, minutes))

    # -------------------------------------------------------------------- venues

    def visit(self, adults, under16):
        offer = self.dice.choice(["swim", "lunch"])
        return offer, (60 if offer == "swim" else 30) * (adults + under16)

    def do_redeem(self):
        code = self.of_house() if self.dice.random() < 0.2 else self.dice.choice(self.live)
        venue, day = self.dice.choice(VENUES), self.day()
        adults, under16 = self.dice.randrange(1, 3), self.dice.randrange(0, 3)
        offer, minutes = self.visit(adults, under16)
        number = self.programs.entry("redeem", "--from", code, "--to", venue, "--offer", offer, "--adults", adults,
                                     "--under16", under16, "--on", day, "--again")
        self.model.move(code, venue, minutes)
        entry = Entry(VISIT, day, minutes, member=code, venue=venue, offer=offer, adults=adults, under16=under16,
                      sides=(code, venue))
        self.model.record(day, entry, (code, -minutes))
        self.reversible.append((number, self.model.add(entry)))

    def do_hold(self):
        code, venue, day = self.dice.choice(self.live), self.dice.choice(VENUES), iso(-self.dice.randrange(0, 2))
        offer, minutes = self.visit(2, 1)
        number = self.programs.entry("hold", "--from", code, "--to", venue, "--offer", offer, "--adults", 2,
                                     "--under16", 1, "--on", day)
        self.model.move(code, "transit", minutes)
        self.holds.append({"number": number, "member": code, "venue": venue, "day": day, "offer": offer,
                           "left": minutes, "heads": (2, 1)})

    def do_capture(self):
        if not self.holds:
            return False
        hold = self.dice.choice(self.holds)
        if self.dice.random() < 0.3:
            self.programs.run("release", hold["number"])
            self.model.move("transit", hold["member"], hold["left"])
            self.holds.remove(hold)
            return True
        part = hold["left"] > 30 and self.dice.random() < 0.4
        minutes = 30 if part else hold["left"]
        number = self.programs.entry("capture", hold["number"], *(["--time", "30m"] if part else []))
        adults, under16 = hold["heads"]
        hold["heads"], hold["left"] = (0, 0), hold["left"] - minutes
        self.model.move("transit", hold["venue"], minutes)
        entry = Entry(VISIT, hold["day"], minutes, member=hold["member"], venue=hold["venue"], offer=hold["offer"],
                      adults=adults, under16=under16, sides=(hold["member"], hold["venue"]))
        self.model.record(hold["day"], self.model.add(entry), (hold["member"], -minutes))
        if not part and not adults: # a first capture taken back would leave the heads to nobody
            self.reversible.append((number, entry))
        if hold["left"] == 0:
            self.holds.remove(hold)
        return True

    def do_mint(self):
        payer, out = self.dice.choice([*self.live, "shed", "issued"]), self.programs.bank.place + "/slips"
        day = self.day()
        told = self.programs.run("voucher", "mint", "--from", payer, "--time", "1h", "--count", 3, "--expires",
                                 iso(-60), "--on", day, "--voucher-key",
                                 self.programs.bank.place + "/vouchers.key", "--out", out)[0]
        self.model.move(payer, "vouchers", 180)
        self.model.record(day, None, (payer, -180), ("vouchers", 180))
        if payer == "issued":
            self.model.add(Entry("grant", day, 180))
        for path in glob.glob(f"{out}/vouchers-{told['first']}-*.csv"):
            with open(path, newline="") as f:
                self.tokens += [(int(row["voucher"]), payer, row["token"]) for row in csv.DictReader(f)]

    def do_voucher(self):
        if not self.tokens:
            return False
        serial, payer, token = self.tokens.pop(self.dice.randrange(len(self.tokens)))
        how = self.dice.choice(["venue", "venue", "member", "void"])
        if how == "void":
            payer = self.model.person(payer)
            self.programs.run("voucher", "void", serial, "lost")
            self.model.move("vouchers", payer, 60)
            self.model.record(iso(0), None, ("vouchers", -60), (payer, 60))
            if payer == "issued":
                self.model.flow(iso(0), -60)
        elif how == "member":
            code = self.dice.choice(self.live)
            self.programs.run("voucher", "redeem", token, "--to", code)
            self.model.move("vouchers", code, 60)
            self.model.record(iso(0), None, ("vouchers", -60), (code, 60))
        else:
            venue = self.dice.choice(VENUES)
            number = self.programs.entry("voucher", "redeem", token, "--to", venue, "--offer", "lunch", "--adults", 1,
                                         "--under16", 1)
            self.model.move("vouchers", venue, 60)
            entry = Entry(VISIT, iso(0), 60, venue=venue, offer="lunch", adults=1, under16=1)
            self.model.add(entry)
            self.model.record(iso(0), entry, ("vouchers", -60))
            if self.dice.random() < 0.2:
                self.programs.run("reverse", number, "a mistake")
                self.model.move(venue, "vouchers", 60)
                self.model.record(iso(0), entry, ("vouchers", 60))
                self.model.take_back(entry, 60)
        return True

    def do_retire(self):
        venue = self.dice.choice(VENUES)
        last = TODAY.replace(day=1) - datetime.timedelta(days=1)
        before = self.model.balances.get(venue, 0)
        self.programs.run("venue", "return", venue, "--month", last.strftime("%Y-%m"), "--retire")
        after = self.programs.run("balance", venue)[0]["minutes"]
        self.model.move(venue, "retired", before - after)
        if before != after:
            self.model.flow(iso(0), 0, "retired", before - after)

    # -------------------------------------------------------------------- afterwards

    def contrary(self, entry, minutes):
        legs = []
        if entry.kind == "session":
            for code, paid in entry.paid.items():
                self.model.move("chest", code, paid)
                legs += [("chest", -paid), (code, paid)]
            for code, given in entry.givers:
                self.model.move(code, "chest", given)
                legs += [(code, -given), ("chest", given)]
        elif entry.kind != "log":
            self.model.move(entry.sides[1], entry.sides[0], minutes)
            legs = [(entry.sides[1], -minutes), (entry.sides[0], minutes)]
        back = self.model.take_back(entry, minutes)
        self.model.record(entry.day, entry, *legs, *([(entry.owner, back)] if back else []))

    def do_reverse(self):
        if not self.reversible:
            return False
        number, entry = self.dice.choice(self.reversible)
        part = entry.left > 15 and entry.kind != "session" and self.dice.random() < 0.4
        minutes = 15 if part else entry.left
        self.programs.run("reverse", number, "a mistake", *(["--time", "15m"] if part else []))
        self.contrary(entry, minutes)
        if entry.left == 0:
            self.reversible.remove((number, entry))
        return True

    def do_dispute(self):
        candidates = [row for row in self.reversible if row[1].kind in ("exchange", "earn", "gift", VISIT) and
                      not row[1].disputed]
        if not candidates:
            return False
        number, entry = self.dice.choice(candidates)
        self.programs.run("dispute", number, "not so", by="broker")
        entry.facts["disputed"] = True
        falls = self.dice.choice([0, 15, entry.left])
        words = ["--stands"] if falls == 0 else ["--falls", "--time", f"{falls}m"]
        self.programs.run("decide", number, *words, "seen", by="decider")
        if falls:
            self.contrary(entry, falls)
            if entry.left == 0:
                self.reversible.remove((number, entry))
        return True

    def quiet(self, code):
        """Nothing of theirs is on its way."""
        return not (any(code in claim[1:3] for claim in self.claims) or
                    any(code in gift[1:3] for gift in self.gifts) or
                    any(hold["member"] == code for hold in self.holds) or
                    any(payer == code for _, payer, _ in self.tokens))

    def forget(self, code):
        """What an account that is closed cannot give back."""
        self.live.remove(code)
        self.reversible = [row for row in self.reversible
                           if code not in (row[1].sides or ()) and code not in row[1].receivers and
                           code not in [g if isinstance(g, str) else g[0] for g in row[1].givers]]

    def do_merge(self):
        ends, goes_on = self.two()
        if len(self.live) < 9 or not self.quiet(ends) or self.model.owed.get(ends, 0):
            return False
        kept = list(self.live), list(self.reversible)
        number = self.programs.entry("account", "merge", ends, "--into", goes_on, "joined twice")
        minutes = self.model.balances.get(ends, 0)
        self.model.move(ends, goes_on, minutes)
        self.model.record(iso(0), "merge", (ends, -minutes), (goes_on, minutes))
        self.model.survivor[ends] = goes_on
        if self.dice.random() < 0.5:
            self.programs.run("account", "unmerge", number, "two people after all")
            self.model.move(goes_on, ends, minutes)
            self.model.record(iso(0), "merge", (goes_on, -minutes), (ends, minutes))
            del self.model.survivor[ends]
            self.live, self.reversible = kept
        else:
            self.forget(ends)
        return True

    def do_settle(self):
        code = self.dice.choice(self.live)
        if len(self.live) < 9 or not self.quiet(code):
            return False
        minutes = self.model.balances.get(code, 0)
        self.programs.run("account", "settle", code, "--died")
        if minutes >= 0:
            self.model.move(code, "chest", minutes)
            self.model.record(iso(0), None, (code, -minutes), ("chest", minutes))
        else:
            self.model.move("write-offs", code, -minutes)
            self.model.flow(iso(0), -minutes)
            self.model.record(iso(0), None, (code, -minutes))
        self.model.left[code] = self.model.closed[code] = iso(0)
        self.model.move("write-offs", "advances", self.model.owed.pop(code, 0))
        self.forget(code)
        return True

    # -------------------------------------------------------------------- who is there, and what is what

    def do_join(self):
        code = f"m{101 + self.n_joined}"
        self.open_member(code, iso(self.dice.randrange(0, 200)))
        self.n_joined += 1
        self.live.append(code)

    def do_person(self):
        name = self.dice.choice(["1", "2", "3", "b"])
        person = self.model.person(f"{HOUSEHOLD}/{name}")
        if name not in self.house:
            self.programs.run("person", "add", HOUSEHOLD, name)
            self.house.append(name)
            self.model.joined.setdefault(person, iso(0))
            self.model.left.pop(person, None)
            self.is_house = True
        elif len(self.house) > 1:
            self.programs.run("person", "leave", HOUSEHOLD, name)
            self.house.remove(name)
            self.model.left[person] = iso(0)
        else:
            return False
        return True

    def do_tag(self):
        name, tags = self.dice.choice(ACTIVITIES), self.dice.sample(TAGS, self.dice.randrange(0, 4))
        self.programs.run("activity", "add", name, *[word for tag in tags for word in ("--tag", tag)])
        self.model.tags[name] = tags

    CHANCES = {"join": 3, "person": 3, "tag": 3, "exchange": 14, "earn": 8, "log": 3, "session": 8, "gift": 5, "answer_gift": 4, "claim": 5,
               "answer_claim": 4, "donate": 4, "grant": 5, "issue": 4, "advance": 4, "transfer": 4, "redeem": 8,
               "hold": 5, "capture": 5, "mint": 3, "voucher": 6, "retire": 1, "reverse": 7, "dispute": 4,
               "merge": 3, "settle": 3}


def periods():
    first = TODAY.replace(day=1)
    month = first - datetime.timedelta(days=1)
    return [(iso(200), iso(-30)), (iso(100), iso(40)), (month.replace(day=1).isoformat(), month.isoformat()),
            (iso(5), iso(0))]


def differences(wanted, found, path=""):
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [line for key in sorted({*wanted, *(found if path else wanted)})
                for line in differences(wanted.get(key), found.get(key), f"{path}.{key}" if path else key)]
    return [] if wanted == found else [f"{path}: {found}, the model says {wanted}"]


def compare(programs, scheme, sentence):
    asked = []
    for begin, end in periods():
        report = programs.run("report", "--from", begin, "--to", end)[0]
        wanted = scheme.model.measures(begin, end)
        lines = differences(wanted, report["measures"])
        tap.ok(not lines, f"{sentence}, from {begin} to {end}", *lines)
        books = scheme.model.books()
        lines = differences({"further": books.further(begin, end, wanted), "register": books.of_register(begin, end)},
                            {"further": report["further_measures"], "register": report["register_measures"]})
        tap.ok(not lines, f"{sentence}, and those of the second list, from {begin} to {end}", *lines)
        asked.append((begin, end, report))
    return asked


def compare_balances(programs, scheme):
    found = {a["code"]: a["minutes"] for a in programs.run("account", "list")}
    lines = differences({code: scheme.model.balances.get(code, 0) for code in found}, found, "balance")
    tap.ok(not lines, "every balance is what the model added up", *lines)


# ------------------------------------------------------------------------------ two years of other books

YEARS = os.path.join(os.path.dirname(HERE), "data", "two-years")


def years_rows(name):
    with open(os.path.join(YEARS, name), newline="") as f:
        return list(csv.DictReader(f))


def years_books(known):
    """As known on a day."""
    books = Books()
    for row in years_rows("accounts.csv"):
        books.kinds[row["code"]] = row["kind"]
        if row["kind"] == "member":
            books.members.append(Member(row["code"], row["joined"]))
            books.wards[row["code"]] = row["ward"] or "unknown"
            books.ages[row["code"]] = row["age_band"] or "unknown"
    books.accounts, books.kinds["chest"] = books.members, "chest"
    entries = {row["ref"]: row for row in years_rows("entries.csv") if row["entered_date"] <= known}
    taken = {row["reverses"] for row in entries.values() if row["kind"] == "reverse"}
    for row in entries.values():
        if row["kind"] == "reverse":
            continue
        minutes, day, reversal = int(row["minutes"]), row["service_date"], row["ref"] in taken
        giver, receiver = row["giver"] or row["to"], row["receiver"] or row["from"]
        if row["kind"] != "log" and not reversal:
            books.changes += [(day, giver, minutes, True), (day, receiver, -minutes, True)]
        if reversal:
            continue
        kind, is_service = row["kind"], row["kind"] in SERVICE
        books.rows.append(Row(kind, day, minutes, [(giver, minutes)] if is_service else [],
                              [receiver] if kind == "exchange" else [], receiver if kind == VISIT else None,
                              receiver if kind == "earn" else None, row["activity"] or "none"))
    return books


def two_years():
    bank = ServedBank()
    try:
        bank.start()
        programs = Programs(bank)
        programs.run("import", "--history", f"{YEARS}/accounts.csv", f"{YEARS}/entries.csv")
        tags = {"gardening": ["five-ways:be-active"], "befriending": ["five-ways:connect", "five-ways:give"]}
        for name, words in tags.items():
            programs.run("activity", "add", name, *[word for tag in words for word in ("--tag", tag)])
        for begin, end, known in [("2024-04-01", "2025-03-31", "2025-04-30"), ("2023-04-01", "2024-03-31", "2024-03-31"),
                                  ("2024-07-01", "2024-09-30", "2024-10-07"), ("2023-06-15", "2025-01-10", "2025-01-20"),
                                  ("2024-02-29", "2024-02-29", "2025-04-30")]:
            report = programs.run("report", "--from", begin, "--to", end, "--as-known-at", known)[0]
            books = years_books(known)
            books.tags = tags
            lines = differences({"further": books.further(begin, end, report["measures"]),
                                 "register": books.of_register(begin, end)},
                                {"further": report["further_measures"], "register": report["register_measures"]})
            tap.ok(not lines, f"two years of other books have the second list's figures, from {begin} to {end}, known "
                   f"on {known}", *lines)
    finally:
        bank.end()


def main():
    two_years()
    bank = ServedBank()
    try:
        bank.start()
        programs = Programs(bank)
        scheme = Scheme(programs, random.Random(SEED))
        while scheme.n_entered < N_ORDERS // 2:
            scheme.step()
        halfway = compare(programs, scheme, "halfway the report has the model's figures")
        while scheme.n_entered < N_ORDERS:
            scheme.step()
        compare(programs, scheme, "at the end the report has the model's figures")
        compare_balances(programs, scheme)
        for begin, end, report in halfway:
            again = programs.run("report", "--from", begin, "--to", end, "--at", report["position"]["size"])[0]
            tap.ok(again == report, f"at the earlier position it is the same as then, from {begin} to {end}")
        missing = [name for name in scheme.CHANCES if name not in scheme.used]
        tap.ok(not missing or N_ORDERS < 300, f"seed {SEED} used everything ({scheme.n_refused} refused)", *missing)
        bank.stop()
        tap.ok(bank.check() is None, "the ledger is sound", str(bank.check()))
    finally:
        bank.end()
    tap.end()
    return 1 if tap.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
