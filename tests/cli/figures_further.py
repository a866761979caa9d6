# SPDX-License-Identifier: Apache-2.0
"""What the second list of measures means, written from its definitions: plain sets and fractions over
plain lists, with nothing of the daemon's. Dates are texts, YYYY-MM-DD."""
import calendar
import datetime
from fractions import Fraction

SERVICE = ("exchange", "earn", "session")
BANDS = {"under_5_h": (1, 300), "5_to_20_h": (300, 1200), "20_to_50_h": (1200, 3000), "50_to_100_h": (3000, 6000),
         "100_h_or_more": (6000, None)}


def half_up(fraction):
    return (fraction + Fraction(1, 2)).__floor__()


def ratio(part, factor, whole):
    return half_up(Fraction(part * factor, whole)) if whole > 0 else 0


def days_between(first, last):
    return (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days


def months_before(day, n_months):
    date = datetime.date.fromisoformat(day)
    month = date.year * 12 + date.month - 1 - n_months
    year, month = month // 12, month % 12 + 1
    return datetime.date(year, month, min(date.day, calendar.monthrange(year, month)[1])).isoformat()


def median(values):
    values = sorted(values)
    return values[(len(values) + 1) // 2 - 1] if values else 0


class Row:
    """An entry that counts: who gave how much, who received, who redeemed."""

    def __init__(self, kind, day, minutes, gives=(), takes=(), visitor=None, organisation=None, activity=None,
                 programme=None):
        self.kind, self.day, self.minutes = kind, day, minutes
        self.gives, self.takes, self.visitor = list(gives), list(takes), visitor
        self.organisation, self.activity, self.programme = organisation, activity, programme

    @property
    def is_service(self):
        return self.kind in SERVICE


class Member:
    def __init__(self, person, joined, left=None):
        self.person, self.joined, self.left = person, joined, left


class Books:
    """rows: of all time. members: each person once. accounts: of members, as Member, by code. kinds: of accounts.
    changes: (day, account, minutes, is a gain) of what accounts had. tags: by activity. wards, ages: by
    person."""

    def __init__(self):
        self.rows, self.members, self.accounts, self.kinds, self.changes = [], [], [], {}, []
        self.tags, self.wards, self.ages = {}, {}, {}

    def inside(self, begin, end):
        return [row for row in self.rows if begin <= row.day <= end]

    # -------------------------------------------------------------------- people

    def membership(self, begin, end):
        opening = [m for m in self.members if m.joined < begin and not (m.left and m.left < begin)]
        joined = [m for m in self.members if begin <= m.joined <= end]
        left = [m for m in self.members if m.left and begin <= m.left <= end]
        closing = [m for m in self.members if m.joined <= end and not (m.left and m.left <= end)]
        met = {person for row in self.rows if row.day <= end and row.is_service
               for person in [p for p, _ in row.gives] + row.takes}
        first = {}
        for row in self.inside(begin, end):
            people = {p for p, _ in row.gives} | set(row.takes) if row.is_service else set()
            for person in people | ({row.visitor} if row.visitor else set()):
                first.setdefault(person, []).append(row.day)
        waits = [min(days_between(m.joined, day) for day in first.get(m.person, []) if day >= m.joined)
                 for m in joined if any(day >= m.joined for day in first.get(m.person, []))]
        return {"members_opening": len(opening), "members_joined": len(joined), "members_left": len(left),
                "members_closing": len(closing),
                "never_exchanged": len([m for m in closing
                                        if days_between(m.joined, end) >= 90 and m.person not in met]),
                "median_days_to_first_entry": median(waits)}

    def given(self, rows):
        sums = {}
        for row in rows:
            for person, minutes in row.gives if row.is_service else []:
                sums[person] = sums.get(person, 0) + minutes
        return sums

    def hours(self, begin, end):
        now = self.given(self.inside(begin, end))
        before = self.given([row for row in self.rows if row.day < begin])
        found = {"by_band": {}}
        for name, (least, below) in BANDS.items():
            band = [minutes for minutes in now.values() if minutes >= least and (below is None or minutes < below)]
            found["by_band"][name] = {"givers": len(band), "minutes_given": sum(band)}
        for hours in (20, 50, 100):
            found[f"milestone_{hours}_h"] = len([p for p, minutes in now.items() if before.get(p, 0) < 60 * hours <=
                                                 before.get(p, 0) + minutes])
        return found

    # -------------------------------------------------------------------- credits

    def circulation(self, begin, end, measures):
        moved = sum(measures[key] for key in ("minutes_given_exchange", "minutes_gifted", "minutes_redeemed",
                                              "minutes_donated"))
        had, gains = {}, {}
        for day, account, minutes, is_gain in self.changes:
            if day <= end:
                had[account] = had.get(account, 0) + minutes
                if minutes > 0 and is_gain:
                    gains.setdefault(account, []).append((day, minutes))
        ages = {"under_3_months": 0, "3_to_6_months": 0, "6_to_12_months": 0, "over_12_months": 0}
        for account, rest in had.items():
            if self.kinds.get(account) not in ("member", "organisation", "chest", "vouchers") or rest <= 0:
                continue
            for day, minutes in sorted(gains.get(account, []), reverse=True):
                age = next((name for name, months in (("under_3_months", 3), ("3_to_6_months", 6),
                                                      ("6_to_12_months", 12)) if day > months_before(end, months)),
                           "over_12_months")
                ages[age] += min(rest, minutes)
                rest -= min(rest, minutes)
            ages["over_12_months"] += rest
        there = [a.person for a in self.accounts if a.joined <= end and not (a.left and a.left <= end)]
        below = [code for code in there if had.get(code, 0) < 0]
        return {"spend_rate_permille": ratio(measures["minutes_redeemed"], 1000, measures["minutes_given_earn"]),
                "velocity_permille": ratio(2 * moved, 1000,
                                           measures["outstanding_opening"] + measures["outstanding_closing"]),
                "outstanding_by_age": {name: {"minutes": minutes} for name, minutes in ages.items()},
                "below_zero": len(below), "below_zero_permille": ratio(len(below), 1000, len(there))}

    # -------------------------------------------------------------------- the network

    def exchanges(self, begin, end):
        """Giver, receiver and minutes of each that ties two people."""
        return [(row.gives[0][0], row.takes[0], row.minutes) for row in self.inside(begin, end)
                if row.kind == "exchange"]

    def network(self, begin, end):
        flows = [flow for flow in self.exchanges(begin, end) if flow[0] != flow[1]]
        ties = {frozenset(flow[:2]) for flow in flows}
        traders = {person for tie in ties for person in tie}
        parts = []
        for tie in ties:
            joined = [part for part in parts if part & tie]
            parts = [part for part in parts if not part & tie] + [set().union(tie, *joined)]
        shares = []
        for person in traders:
            given = sum(m for giver, _, m in flows if giver == person)
            received = sum(m for _, receiver, m in flows if receiver == person)
            shares.append(half_up((1 - Fraction(abs(given - received), given + received)) * 1000000))
        rows = self.inside(begin, end)
        active = {p for row in rows if row.is_service for p, _ in row.gives}
        active |= {p for row in rows if row.kind in ("exchange", "session") for p in row.takes}
        active |= {row.visitor for row in rows if row.visitor}
        helped = {(giver, row.organisation) for row in rows if row.kind == "earn" for giver, _ in row.gives}
        n = len(traders)
        return {"balance_reciprocity_permille": ratio(sum(shares), 1, 1000 * n),
                "density_per_million": ratio(len(ties), 1000000, n * (n - 1) // 2),
                "mean_partners_permille": ratio(2 * len(ties), 1000, n),
                "largest_component": max(map(len, parts), default=0), "isolates": len(active - traders),
                "ties_with_organisations": len(helped)}

    # -------------------------------------------------------------------- tags

    def by_tag(self, begin, end):
        pairs = lambda tags: [tuple(tag.split(":", 1)) if ":" in tag[1:-1] else ("tag", tag) for tag in tags]
        sets = {name for tags in self.tags.values() for name, _ in pairs(tags)}
        found = {name: {} for name in sets}
        for row in self.inside(begin, end):
            for name in sets if row.is_service else []:
                own = {value for of, value in pairs(self.tags.get(row.activity, [])) if of == name} or {"none"}
                for value in own:
                    cell = found[name].setdefault(value, [0, 0, set()])
                    cell[0] += row.minutes
                    cell[1] += 1
                    cell[2] |= {person for person, _ in row.gives}
        return {name: {value: {"minutes_given": c[0], "entries": c[1], "givers": len(c[2])}
                       for value, c in values.items()} for name, values in found.items()}

    def by_programme(self, begin, end):
        found = {}
        for row in self.inside(begin, end):
            if row.kind == "issue":
                cell = found.setdefault(row.programme or "none", {"minutes_issued": 0, "entries": 0})
                cell["minutes_issued"] += row.minutes
                cell["entries"] += 1
        return found

    # -------------------------------------------------------------------- the register

    def between(self, begin, end, names):
        found, ties = {}, set()
        for giver, receiver, minutes in self.exchanges(begin, end):
            cell = found.setdefault(names.get(giver, "unknown"), {}).setdefault(names.get(receiver, "unknown"),
                                                                               {"minutes_given": 0, "ties": 0})
            cell["minutes_given"] += minutes
            cell["ties"] += giver != receiver and (giver, receiver) not in ties
            ties.add((giver, receiver))
        return found

    def of_register(self, begin, end):
        ward = lambda person: self.wards.get(person, "unknown")
        flows = self.exchanges(begin, end)
        ties = {frozenset(flow[:2]) for flow in flows if flow[0] != flow[1]}
        within = len([tie for tie in ties if len({ward(person) for person in tie}) == 1])
        return {"minutes_across_wards": sum(m for giver, receiver, m in flows if ward(giver) != ward(receiver)),
                "ties_within_wards": within, "ties_across_wards": len(ties) - within,
                "between_wards": self.between(begin, end, self.wards),
                "between_age_bands": self.between(begin, end, self.ages)}

    def further(self, begin, end, measures):
        """measures: the first list's, of the same model."""
        return {**self.membership(begin, end), **self.hours(begin, end), **self.circulation(begin, end, measures),
                **self.network(begin, end), "by_tag": self.by_tag(begin, end),
                "by_programme": self.by_programme(begin, end)}
