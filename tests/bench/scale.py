# SPDX-License-Identifier: Apache-2.0
"""How throughput, latency, disk and memory go as a ledger grows: 10,000 to --entries entries, 1,000 to a million
accounts. At each step at most as much again is recorded to measure it, so that the next step is not passed."""
from bank import Bank
from works import DAYS_OF_GROWTH, full_batches, tell

ACCOUNTS = (1_000, 100_000, 1_000_000)
FIRST = 10_000
LEAST_BATCHES = 8
PATIENCE_S = 600


def steps(entries):
    """10,000, then ten times as many, and so on, and the last."""
    found, n = [], FIRST
    while n < entries:
        found.append(n)
        n *= 10
    return found + [entries]


def of_accounts(bench, accounts):
    options, found = bench.options, []
    with Bank(bench, f"scale-{accounts}", accounts=accounts) as bank:
        before = bank.memory_bytes()
        bank.load("prepare")
        opened = bank.memory_bytes()
        # What is written behind of the accounts is no entry's.
        bank.stop()
        bank.start()
        used, entries = bank.bytes_used(), 0
        for step in steps(options.entries):
            missing = step - entries
            if found and missing / found[-1]["orders_per_s"] > PATIENCE_S:
                tell(f"  {step:,} entries would take longer than {PATIENCE_S} s: left out")
                break
            if missing > 0:
                batches = -(-missing // (options.batch * options.processes))
                batch = -(-missing // (batches * options.processes))
                entries += bank.load("run", "--batch", batch, "--processes", options.processes, "--in-flight",
                                     options.in_flight, "--batches", batches, "--days", DAYS_OF_GROWTH)["orders"]
            measured_batches = max(LEAST_BATCHES, step // (options.batch * options.processes))
            told = full_batches(bench, bank, "--days", DAYS_OF_GROWTH, "--batches", measured_batches)
            disk = bank.bytes_used() - used
            tell(f"  {accounts:,} accounts, {entries:,} entries: {told['orders_per_s']:,.0f} orders/s")
            found.append({"accounts": accounts, "entries": entries, "orders_per_s": told["orders_per_s"],
                          "p99_ms": told["p99_ms"], "daemon_us_per_order": told["daemon_us_per_order"],
                          "clients_us_per_order": told["clients_us_per_order"],
                          "bytes_per_entry": disk / (entries + told["orders"]),
                          "memory_bytes_per_account": (opened - before) / accounts,
                          "memory_mib": bank.memory_bytes() / 2**20})
            entries += told["orders"]
    return found


def measured(bench):
    found = []
    for accounts in bench.options.scale_accounts:
        tell(f"growing a ledger of {accounts:,} accounts")
        found += of_accounts(bench, accounts)
    return found


def print_scale(points):
    print(f"{'accounts':>10} {'entries':>11} {'orders/s':>10} {'p99 ms':>8} {'B/entry':>8} {'us daemon':>9} {'us client':>9} "
          f"{'MiB':>7} {'B/account':>9}")
    for point in points:
        print(f"{point['accounts']:>10,} {point['entries']:>11,} {point['orders_per_s']:>10,.0f} {point['p99_ms']:>8.3g} "
              f"{point['bytes_per_entry']:>8.1f} {point['daemon_us_per_order']:>9.3g} {point['clients_us_per_order']:>9.3g} "
              f"{point['memory_mib']:>7.0f} {point['memory_bytes_per_account']:>9.0f}")
