# SPDX-License-Identifier: Apache-2.0
"""The goals of speed: what each is, and when it is met."""
import statistics


class Goal:
    """The figure is to be at least (or at most) `figure`, `limit` times the raw limit of the same run, and `peer` times
    what the peer does of it; those that are given, and of the peer only where it was measured."""

    def __init__(self, what, unit, direction, figure=None, limit=None, peer=None):
        self.what, self.unit, self.direction = what, unit, direction
        self.figure, self.limit, self.peer = figure, limit, peer

    def targets(self, run):
        found = [self.figure]
        found.append(self.limit * run["limit"] if self.limit and run.get("limit") else None)
        if self.peer and run.get("peer"):
            found.append(self.peer * run["peer"] if self.direction == "least" else run["peer"] / self.peer)
        return [target for target in found if target is not None]

    def is_met(self, run):
        """None where nothing was measured that it could be compared with."""
        targets = self.targets(run)
        if not targets:
            return None
        return all(run["figure"] >= target if self.direction == "least" else run["figure"] <= target for target in targets)

    def words(self):
        sign = ">=" if self.direction == "least" else "<="
        if self.figure:
            return f"{sign} {self.figure:,} {self.unit}" + (f", {self.peer} x peer" if self.peer else "")
        if self.limit:
            return f"{sign} {self.limit} x raw"
        return f"{sign} {self.peer} x peer"


GOALS = {
    "P1": Goal("orders in full batches", "orders/s", "least", figure=1_000_000, peer=27),
    "P1 small": Goal("orders in batches of 1,000", "orders/s", "least", figure=800_000),
    "P2": Goal("one order a signature", "orders/s", "least", peer=2),
    "P2 in memory": Goal("the same, the clients' state on a tmpfs", "orders/s", "least", peer=2),
    "P3": Goal("one order, one client: median", "ms", "most", limit=1.3),
    "P3 in memory": Goal("the same, the client's state on a tmpfs", "ms", "most", limit=1.3),
    "P3 loaded": Goal("one order while P1 runs: 99th of 100", "ms", "most", figure=100),
    "P4": Goal("balance reads, pipeline 16", "reads/s", "least", peer=1.0),
    "P4 single": Goal("balance reads, pipeline 1", "reads/s", "least", peer=1.3),
    "P5": Goal("report of a year with every breakdown, never asked for", "ms", "most", figure=50, peer=20),
    "P5 again": Goal("the same year once more", "ms", "most", figure=50, peer=20),
    "P5 beside": Goal("P1 beside one report a second; limit: without", "orders/s", "least", limit=0.9),
    "P6": Goal("start after a clean end, to the first answer", "s", "most", figure=0.5),
    "P6 killed": Goal("start after kill -9 under load", "s", "most", figure=3),
    "P7": Goal("P1 with the entries in; limit: empty ledger", "orders/s", "least", limit=0.9),
    "P7 disk": Goal("disk an entry, all tables and columns", "B", "most", figure=180),
    "P7 memory": Goal("anonymous memory; limit: 64 MiB + 160 B an account", "MiB", "most", limit=1),
    "P8": Goal("check --full", "records/s", "least", figure=1_000_000),
    "P9": Goal("an idle connection, Unix socket", "KiB", "most", figure=8),
    "P10": Goal("import of two-years", "s", "most", figure=0.3),
}


def middle(values):
    """The median of numbers; of anything else, or of nothing known, the first."""
    numbers = [value for value in values if isinstance(value, (int, float))]
    return statistics.median(numbers) if len(numbers) == len(values) else values[0]


def divided(a, b):
    return a / b if a and b else None


def goal_told(name, runs, sync):
    """One line of the table from the runs of one goal. Ratios are of one run each, then the median is taken."""
    goal, last = GOALS[name], {"figure", "limit", "peer"}
    run = {key: middle([run.get(key) for run in runs]) for key in last}
    peer = [divided(run["figure"], run.get("peer")) if goal.direction == "least" else divided(run.get("peer"), run["figure"])
            for run in runs]
    targets = goal.targets(run)
    return {"goal": name, "what": goal.what, "figure": run["figure"], "unit": goal.unit,
            "least": min(run["figure"] for run in runs), "most": max(run["figure"] for run in runs),
            "limit": run["limit"], "ratio": middle([divided(run["figure"], run.get("limit")) for run in runs]),
            "peer": run["peer"], "times_peer": middle(peer),
            "target": (max if goal.direction == "least" else min)(targets) if targets else None,
            "target_words": goal.words(), "met": goal.is_met(run), "sync": sync,
            "beside": {key: middle([run[key] for run in runs]) for key in runs[0] if key not in last}}
