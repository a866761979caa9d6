# SPDX-License-Identifier: Apache-2.0
"""All goals on one page."""


WIDTH = 100


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def spread(goal):
    """Half of what lies between the least and the most, as a part of the median."""
    return f"{50 * (goal['most'] - goal['least']) / goal['figure']:.0f}%" if goal["figure"] else "-"


def load_words(beside):
    """Of a run of `load`."""
    batch = beside["batch"]
    asks = beside["bytes_per_order"] == 0
    n = beside["processes"] * beside["clients"]
    words = [f"{n:.0f} client{'s' if n > 1 else ''} x {beside['in_flight']:.0f} in flight"]
    if not asks:
        words.append(f"{batch:,.0f} a batch, 1/{batch:,.0f} signature each" if batch > 1 else "1 signature each")
        if batch > 1:
            words.append(f"{beside['bytes_per_order']:.0f} B an order")
    if beside.get("disk_bytes_per_order"):
        words.append(f"{beside['disk_bytes_per_order']:.0f} B on disk")
    words.append(f"cores: daemon {beside['daemon_cores']:.2f}, clients {beside['clients_cores']:.2f} = "
                 f"{beside['daemon_us_per_order']:.3g} + {beside['clients_us_per_order']:.3g} us each")
    words.append(f"p50 / p99 {beside['p50_ms']:.3g} / {beside['p99_ms']:.3g} ms")
    return words


def words_beside(goal):
    beside, words = goal["beside"], []
    if "daemon_cores" in beside:
        words += load_words(beside)
    if goal["goal"] == "P5":
        words += [f"{beside['entries']:,.0f} entries", f"the very first {beside['first_ms']:,.0f} ms",
                  f"daemon's CPU {beside['daemon_cpu_ms']:.3g} ms",
                  f"columns {beside['facts_bytes_per_entry']:.1f} B an entry on disk, the daemon's memory "
                  f"{beside['memory_bytes_per_entry']:.1f} B"]
    elif goal["goal"] == "P5 again":
        words += [f"slowest {beside['max_ms']:.3g} ms", f"daemon's CPU {beside['daemon_cpu_ms']:.3g} ms"]
    elif "facts_bytes_per_entry" in beside:
        words.append(f"{beside['entries']:,.0f} entries, {beside['facts_bytes_per_entry']:.1f} B of it columns")
    elif "entries" in beside:
        words.append(f"{beside['entries']:,.0f} entries in")
    if goal["goal"] == "P7":
        words += ["by turns", f"raw appends before these {beside['append']:,.0f} values/s, "
                  f"before the empty ledger's {beside['append_empty']:,.0f}"]
    if goal["goal"] == "P8":
        words.append(f"{beside['records']:,.0f} records in {beside['seconds']:.3g} s; limit: two hashes a record, all cores")
    for key, text in (("connections", "connections; there is no TLS transport"), ("rows", "rows"), ("accounts", "accounts")):
        if key in beside:
            words.append(f"{beside[key]:,.0f} {text}")
    return words + [f"load {beside['load']:.1f}"]


def wrapped(words, width=WIDTH - 4):
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 2 + len(word) > width:
            lines.append("")
        lines[-1] += ("; " if lines[-1] else "") + word
    return lines


def print_wrapped(*words):
    for line in wrapped(words, WIDTH):
        print(line)


def print_head(result):
    m, limits = result["machine"], result["limits"]
    print_wrapped(f"{m['cores']} cores ({m['processor']}), {m['disk']} below {m['directory']}",
                  f"{result['date']}, {result['commit']}", f"medians of {result['runs']}, spread beside them",
                  f"{result['accounts']:,} accounts", "clients, daemon and peers on the same cores",
                  *([f"{m['busy']} processes spinning beside them"] if m["busy"] else []),
                  f"load average before: {m['load_before']:.1f}")
    print_wrapped(f"every write: {result['sync']}", f"peers: {result['peers']}")
    print_wrapped(f"raw limits: fdatasync of 4 KiB {number(limits['sync_4k_us'])} us",
                  f"LMDB of 220 B, 1 / 64 / 1,000 / 8,000 a commit {number(limits['append_1'])} / "
                  f"{number(limits['append_64'])} / {number(limits['append_1000'])} / {number(limits['append_8000'])} a second",
                  f"Ed25519 sign / verify {number(limits['sign'])} / {number(limits['verify'])}", f"SHA-256 of a node, alone / many at once {number(limits['sha256_65'])} / {number(limits['node_many'])}",
                  f"messages over a Unix socket, 1 / 16 at once {number(limits['socket_1'])} / {number(limits['socket_16'])}")
    print()


def print_table(result):
    print_head(result)
    print(f"{'goal':<13}{'figure':>11} {'unit':<10}{'+-':>4} {'raw limit':>11} {'ratio':>7} {'peer':>10} {'times':>7} "
          f"{'target':>11}  met")
    for goal in result["goals"]:
        met = {True: "yes", False: "no", None: "-"}[goal["met"]]
        print(f"{goal['goal']:<13}{number(goal['figure']):>11} {goal['unit']:<10}{spread(goal):>4} {number(goal['limit']):>11} "
              f"{number(goal['ratio']):>7} {number(goal['peer']):>10} {number(goal['times_peer']):>7} "
              f"{number(goal['target']):>11}  {met}")
        for line in wrapped([f"{goal['what']} ({goal['target_words']})", *words_beside(goal)]):
            print("    " + line)
