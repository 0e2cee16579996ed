"""The features by definition, recomputed naively over raw events: an account that shares no code with the engine.

Reads one case a line, {"definitions": [...], "events": [...], "atMs": t}, and writes the values of each as one line:
a list in the order of the definitions, null for "no value". What a line leaves out is as in the line before. Events after
`atMs` have not happened yet. Definitions are those of `definition.ts`. Only Python's standard library is needed.
"""

import json
import math
import re
import sys
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, getcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNITS = 10_000
AMOUNT_MAX = 1e9
GAP_TIMES_MAX = 512
EPOCH = date(1970, 1, 1).toordinal()
DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")


def tile_of(window):
    if window <= 12 * HOUR:
        return 5 * MINUTE
    return HOUR if window <= 7 * DAY else DAY


def within(events, at, window, tile=None):
    """Events of the window; all of them when there is no window."""
    if window is None:
        return [e for e in events if e["timestampMs"] <= at]
    tile = tile or tile_of(window)
    begin = (at - window) // tile * tile
    return [e for e in events if begin <= e["timestampMs"] <= at]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def amount_of(value):
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        value = float(value)
    return value if is_number(value) and abs(value) <= AMOUNT_MAX else None


def units_of(event, measure):
    """Whole units of 1e-4, halves rounded up; None for an event without the amount."""
    for name in measure["properties"]:
        amount = amount_of(event["properties"].get(name))
        if amount is None:
            continue
        if measure.get("outliers") == "exclude" and name in event.get("outliers", []):
            return None
        scaled = float(amount) * UNITS
        units = math.floor(scaled)
        if scaled - units >= 0.5:
            units += 1
        return abs(units) if measure["absolute"] else units
    return None


def ids_of(event, measure):
    items = event["properties"].get(measure["list"]) if "list" in measure else None
    found = []
    for item in items if isinstance(items, list) else [event["properties"]]:
        for name in measure["properties"]:
            value = item.get(name) if isinstance(item, dict) else None
            if isinstance(value, str) and value != "":
                found.append(value)
                break
            if is_number(value):
                found.append(str(value))
                break
    return found


def number_of(event, name):
    value = event["properties"].get(name)
    return value if is_number(value) else None


def text_of(event, name):
    value = event["properties"].get(name)
    return value if isinstance(value, str) else None


def is_there(event, name):
    return isinstance(event["properties"].get(name), (bool, int, float, str))


def exceeds(left, right):
    return left is not None and right is not None and left > right


# What each condition that a case may hold means, by its text: a value of another kind is missing, and no comparison
# with a missing one holds.
CONDITIONS = {
    "properties.price > 100": lambda e: exceeds(number_of(e, "price"), 100),
    "!(properties.price > 100)": lambda e: not exceeds(number_of(e, "price"), 100),
    'properties.sku in ["a", "b"] && has(properties.price)': lambda e: text_of(e, "sku") in ("a", "b")
    and is_there(e, "price"),
    'properties.sku != "a" || properties.cost == null': lambda e: text_of(e, "sku") not in (None, "a")
    or not is_there(e, "cost"),
    "properties.price - properties.cost > 0": lambda e: number_of(e, "price") is not None
    and number_of(e, "cost") is not None
    and number_of(e, "price") - number_of(e, "cost") > 0,
    "properties.price": lambda e: e["properties"].get("price") is True,
    'properties.sku.startsWith("ü")': lambda e: (text_of(e, "sku") or "").startswith("ü"),
    'context.device.type == "ios" && properties.price != null': lambda e: e.get("context", {}).get("device", {}).get("type")
    == "ios"
    and is_there(e, "price"),
    'properties.channel == "email"': lambda e: text_of(e, "channel") == "email",
    # Of a preset.
    'properties.coupon != ""': lambda e: text_of(e, "coupon") not in (None, ""),
    'properties.ship.city == "Ulm"': lambda e: isinstance(e["properties"].get("ship"), dict)
    and e["properties"]["ship"].get("city") == "Ulm",
}


# What others report is no behaviour: only a filter that names it lets it pass.
REPORTED = ("outcome", "contact", "consent")


def passes(event, wanted):
    if wanted is None:
        return event["type"] not in REPORTED
    if event["type"] != wanted["type"]:
        return False
    if "name" in wanted and event["name"] != wanted["name"]:
        return False
    if "names" in wanted and event["name"] not in wanted["names"]:
        return False
    if "currency" in wanted and event.get("currency") != wanted["currency"]:
        return False
    return "where" not in wanted or CONDITIONS[wanted["where"]](event)


def deviation(numbers):
    """Population standard deviation, in exact arithmetic up to the root."""
    mean = Fraction(sum(numbers), len(numbers))
    return math.sqrt(sum((n - mean) ** 2 for n in numbers) / len(numbers))


def streak_to(day, days):
    length = 0
    while day - length in days:
        length += 1
    return length


def session_lengths(events, gap):
    sessions = []
    for time in sorted(e["timestampMs"] for e in events):
        if sessions and time - sessions[-1][1] <= gap:
            sessions[-1][1] = time
        else:
            sessions.append([time, time])
    return [last - first for first, last in sessions]


def gaps_of(times):
    return [b - a for a, b in zip(times, times[1:])]


def quantile(numbers, share):
    """Linear between the two closest ranks."""
    ordered = sorted(numbers)
    rank = Fraction(share) * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (rank - below) * (ordered[above] - ordered[below]))


def regularity(gaps):
    """(mean - std) / (mean + std), with 60 digits: the difference of nearly equal numbers keeps enough of them."""
    if len(gaps) < 2 or sum(gaps) == 0:
        return None
    getcontext().prec = 60
    mean = Decimal(sum(gaps)) / len(gaps)
    std = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)).sqrt()
    return float((mean - std) / (mean + std))


def frequency(definition, events):
    counts = Counter(i for e in events for i in ids_of(e, definition["measure"]))
    total = sum(counts.values())
    if definition["aggregation"] == "entropy":
        shares = [count / total for count in counts.values()]
        return -sum(share * math.log2(share) for share in shares) + 0.0 if total else None
    ranked = sorted(counts.values(), reverse=True) + [0] * 5
    count = ranked[definition["rank"] - 1]
    if definition["aggregation"] == "top_count":
        return count
    return count / total if total else None


def clock_of(definition, event):
    """The event's time at the clocks that a feature reads; an offset such as +05:30 is a zone, too."""
    name = event.get("timeZone") or "UTC"
    if definition.get("zone") != "local":
        name = "UTC"
    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[4:6])
        ahead = timedelta(hours=hours, minutes=minutes)
        zone = timezone(ahead if name[0] == "+" else -ahead)
    else:
        zone = ZoneInfo(name)
    return datetime.fromtimestamp(event["timestampMs"] // 1_000, zone)


def day_of(definition, event):
    return clock_of(definition, event).date().toordinal() - EPOCH


def active_days(definition, events, at):
    """Days with an event, and today: at the clocks of the newest event of the newest day, as they were then."""
    happened = [e for e in events if e["timestampMs"] <= at]
    if not happened:
        return set(), at // DAY
    clocks = [(day_of(definition, e), e["timestampMs"], clock_of(definition, e).utcoffset()) for e in happened]
    now = at + max(clocks)[2] // timedelta(milliseconds=1)
    window = definition.get("windowMs")
    first = -math.inf if window is None else (now - window) // DAY
    return {day for day, _, _ in clocks if day >= first}, now // DAY


def is_part(definition, event):
    time = clock_of(definition, event)
    if "hours" in definition:
        return time.hour in definition["hours"]
    if "weekdays" in definition:
        return time.isoweekday() in definition["weekdays"]
    return passes(event, definition["matching"])


def decayed(definition, events, at):
    """Steps of an eighth of the half-life; 128 steps ago is forgotten."""
    step = definition["halfLifeMs"] // 8
    total = 0.0
    for event in within(events, at, None):
        steps = at // step - event["timestampMs"] // step
        amount = 1
        if definition["aggregation"] == "decayed_sum":
            amount = Fraction(units_of(event, definition["measure"]) or 0, UNITS)
        if 0 <= steps < 128:
            total += Fraction(2.0 ** (-steps / 8)) * amount
    return float(total)


def measured(definition, events, at):
    """Pairs (time, units) of the window's events that have the amount."""
    some = within(events, at, definition.get("windowMs"))
    pairs = [(e["timestampMs"], units_of(e, definition["measure"])) for e in some]
    return [pair for pair in pairs if pair[1] is not None]


def value_of(definition, all_events, at, find):
    kind = definition["aggregation"]
    if kind == "ratio":
        above, below = find(definition["numerator"]), find(definition["denominator"])
        return None if above is None or below is None or below == 0 else above / below
    events = [e for e in all_events if passes(e, definition.get("event"))]
    window = definition.get("windowMs")
    times = sorted(e["timestampMs"] for e in within(events, at, None))
    if kind == "count":
        return len(within(events, at, window))
    if kind == "trend":
        now = len(within(events, at, window))
        return now - (len(within(events, at, 2 * window, tile_of(window))) - now)
    if kind in ("active_days", "streak", "longest_streak"):
        days, today = active_days(definition, events, at)
        if kind == "active_days":
            return len(days)
        if kind == "longest_streak":
            return max((streak_to(day, days) for day in days), default=0)
        newest = max(days, default=-math.inf)
        return streak_to(newest, days) if newest >= today - 1 else 0
    if kind in ("sessions_count", "session_length_mean"):
        lengths = session_lengths(within(events, at, window), definition["gapMs"])
        if kind == "sessions_count":
            return len(lengths)
        return sum(lengths) / len(lengths) / 1_000 if lengths else None
    if kind == "distinct":
        return len({i for e in within(events, at, window) for i in ids_of(e, definition["measure"])})
    if kind == "days_since_first":
        return (at - times[0]) / DAY if times else None
    if kind == "days_since_last":
        return (at - times[-1]) / DAY if times else None
    if kind == "gap_mean":
        return (times[-1] - times[0]) / (len(times) - 1) / DAY if len(times) > 1 else None
    if kind == "gap_std":
        gaps = gaps_of(times[-GAP_TIMES_MAX:])
        return deviation(gaps) / DAY if gaps else None
    if kind in ("top_count", "top_share", "entropy"):
        return frequency(definition, within(events, at, window))
    if kind in ("share", "hour_share", "weekday_share"):
        some = within(events, at, window)
        return sum(is_part(definition, e) for e in some) / len(some) if some else None
    if kind == "amount_share":
        amounts = [(e, units_of(e, definition["measure"]) or 0) for e in within(events, at, window)]
        whole = sum(units for _, units in amounts)
        part = sum(units for e, units in amounts if is_part(definition, e))
        return part / whole if whole else None
    if kind in ("decayed_count", "decayed_sum"):
        return decayed(definition, events, at)
    if kind == "gap_quantile":
        gaps = gaps_of(times[-GAP_TIMES_MAX:])
        return quantile(gaps, definition["quantile"]) / DAY if gaps else None
    if kind == "regularity":
        return regularity(gaps_of(times[-GAP_TIMES_MAX:]))
    pairs = measured(definition, events, at)
    units = [unit for _, unit in pairs]
    if kind == "sum":
        return sum(units) / UNITS
    if not units:
        return None
    if kind == "mean":
        return sum(units) / UNITS / len(units)
    if kind == "std":
        return deviation(units) / UNITS
    if kind == "min":
        return min(units) / UNITS
    if kind == "max":
        return max(units) / UNITS
    if kind == "last":
        return max(pairs)[1] / UNITS
    if kind == "first":
        return min(pairs)[1] / UNITS
    raise ValueError(f"unknown aggregation {kind}")


def values_of(case):
    by_name = {definition["name"]: definition for definition in case["definitions"]}

    def find(name):
        return value_of(by_name[name], case["events"], case["atMs"], find)

    return [find(definition["name"]) for definition in case["definitions"]]


case = {}
for line in sys.stdin:
    case.update(json.loads(line))
    print(json.dumps(values_of(case)))
