#!/usr/bin/env python3
"""Compares what two senders posted: each file has one HTTP body per line, `{"data": [...], ...}`.

Entries are compared by their event id and as JSON values: the order of members does not count, and neither does how a
number is written (19.9 and 19.90). What else is in a body beside the entries must be the same in all of them. The exit
code is 1 if anything differs or is missing.
"""

import json
import sys
from decimal import Decimal

SHOWN = 5


def read(path):
    """The entries by event id, in the order they came; and the bodies without their entries."""
    entries, envelopes = {}, set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip():
                continue
            body = json.loads(line, parse_float=Decimal, parse_int=Decimal)
            for entry in body.pop("data"):
                entries.setdefault(entry["eventId"], []).append(entry)
            envelopes.add(json.dumps(body, sort_keys=True, default=str))
    return entries, envelopes


def shown(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def unlike(left, right, path=""):
    """The first place where two values differ, as text; None if they are equal."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            if name not in left or name not in right:
                value = left.get(name, right.get(name))
                return f"{path}.{name}: only in the {'first' if name in left else 'second'}: {shown(value)}"
            found = unlike(left[name], right[name], f"{path}.{name}")
            if found:
                return found
        return None
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right))
        return next((found for i, pair in pairs if (found := unlike(*pair, f"{path}[{i}]"))), None)
    # True is 1 in Python and is not in JSON.
    if left == right and isinstance(left, bool) == isinstance(right, bool):
        return None
    return f"{path}: {shown(left)} and {shown(right)}"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: compare.py FIRST SECOND")
    (first, first_bodies), (second, second_bodies) = map(read, sys.argv[1:])
    equal = 0
    differences = []
    for event_id in first.keys() | second.keys():
        # At least once: an entry may come again, but then as the same.
        candidates = [*first.get(event_id, ()), *second.get(event_id, ())]
        if event_id not in first or event_id not in second:
            missing = "first" if event_id not in first else "second"
            differences.append(f"{event_id}: missing in the {missing}")
            continue
        found = next((text for other in candidates[1:] if (text := unlike(candidates[0], other))), None)
        if found is None:
            equal += 1
        else:
            differences.append(f"{event_id}{found}")
    if first_bodies != second_bodies:
        differences.append(f"bodies: {sorted(first_bodies)} and {sorted(second_bodies)}")
    counts = [sum(map(len, entries.values())) for entries in (first, second)]
    print(f"{counts[0]} and {counts[1]} entries, {len(first)} and {len(second)} event ids, {equal} equal")
    for difference in sorted(differences)[:SHOWN]:
        print(difference)
    if len(differences) > SHOWN:
        print(f"and {len(differences) - SHOWN} more")
    sys.exit(1 if differences or not equal else 0)


if __name__ == "__main__":
    main()
