# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0915, FURB136, PLR1730 -- loops that are to compile to loops
"""Loops over visit times for which NumPy needs many passes: counts by phase, and intervals.

Plain Python that is compiled where a compiler is. Uncompiled, ``phase_folding`` and ``intervals`` do the same with NumPy,
which is faster then; the tests hold the two against each other. Each loop checks a class's range before it looks at its visits.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

COMPILED = bool(cython.compiled)
COARSE = 8
"""Coarse cells of a turn."""
LAGS = 4
"""Visits after each of which the gap to it is taken."""
MASK = (1 << 64) - 1
LONGEST = 128
"""Seconds of the longest gap whose commonest value is sought."""


def occupy(
    seconds: Any, starts: Any, stops: Any, rate: Any, cells: Any, room: Any, cell: Any, turns: Any, coarse: Any
) -> None:
    """Count in how many turns the cells of a period are occupied.

    Parameters
    ----------
    seconds
        Time of each visit, float64, finite.
    starts, stops
        Range of each class's visits, int64.
    rate
        Turns a second, per class, float64.
    cells
        Cells of a turn, per class, int64, from 1.
    room
        To count in: int64, as many as the most cells, and one more.
    cell
        For the answers: int64, two a class: the favourite cell, and the cell that is favourite together with the next.
    turns
        For the answers: int64, three a class: turns in which the favourite is occupied, those of the two together (a
        turn counts twice where both are), and the sum over all cells.
    coarse
        For the answers: int64, ``COARSE`` a class: turns in which each coarse cell is occupied.

    Raises
    ------
    ValueError
        A range reaches beyond the visits, or the cells beyond the room.
    """
    moments: Any = memoryview(seconds)
    first: Any = memoryview(starts)
    last: Any = memoryview(stops)
    rates: Any = memoryview(rate)
    numbers: Any = memoryview(cells)
    counts: Any = memoryview(room)
    found: Any = memoryview(cell)
    sums: Any = memoryview(turns)
    rough: Any = memoryview(coarse)
    classes = len(first)
    wide_cells = COARSE
    if min(len(last), len(rates), len(numbers), len(found) // 2, len(sums) // 3, len(rough) // wide_cells) < classes:
        raise ValueError("too few places")
    bad = 0
    with cython.nogil:
        for row in range(classes):
            start = first[row]
            stop = last[row]
            number = numbers[row]
            if start < 0 or stop < start or stop > len(moments) or number < 1 or number >= len(counts):
                bad = 1
                break
            for at in range(number + 1):
                counts[at] = 0
            for at in range(wide_cells):
                rough[row * wide_cells + at] = 0
            factor = rates[row]
            before = 0
            fine_before = -1
            rough_before = -1
            total = 0
            for at in range(start, stop):
                place = moments[at] * factor
                turn = int(place)
                turn -= place < turn  # down, below zero too
                place -= turn
                fine = int(place * number)
                wide = int(place * wide_cells)
                # What rounding puts at the end of a turn has no cell of its own.
                fine = fine if fine < number else number - 1
                wide = wide if wide < wide_cells else wide_cells - 1
                # Added, not asked for: which way people's visits go, no processor foresees.
                moved = turn != before
                fresh = moved | (fine != fine_before)
                counts[fine] += fresh
                total += fresh
                rough[row * wide_cells + wide] += moved | (wide != rough_before)
                fine_before = fine
                rough_before = wide
                before = turn
            counts[number] = counts[0]
            one = 0
            two = 0
            most = counts[0]
            most_both = counts[0] + counts[1]
            for at in range(1, number):
                here = counts[at]
                both = here + counts[at + 1]
                one = at if here > most else one
                most = here if here > most else most
                two = at if both > most_both else two
                most_both = both if both > most_both else most_both
            found[2 * row] = one
            found[2 * row + 1] = two
            sums[3 * row] = most
            sums[3 * row + 1] = most_both
            sums[3 * row + 2] = total
    if bad:
        raise ValueError("a range beyond the visits, or cells beyond the room")


def spans(seconds: Any, starts: Any, stops: Any, room: Any, near: Any, middle: Any, common: Any) -> None:
    """Find the median of the gaps between each visit and those after it, and the commonest whole gap.

    Parameters
    ----------
    seconds
        Time of each visit, float64, finite; those of a class in order, nearly.
    starts, stops
        Range of each class's visits, int64.
    room
        To sort in: float64, as many as the visits of any class.
    near
        To count in: int64, ``LONGEST``.
    middle
        For the answers: float64, ``LAGS`` a class: the median of the gaps to the next visit, to the one after it and so
        on; a negative number where there is none.
    common
        For the answers: int64, two a class: the commonest gap from 2 to ``LONGEST`` seconds, rounded, and how often.

    Raises
    ------
    ValueError
        A range reaches beyond the visits, or a class has more of them than there is room.
    """
    moments: Any = memoryview(seconds)
    first: Any = memoryview(starts)
    last: Any = memoryview(stops)
    gaps: Any = memoryview(room)
    counts: Any = memoryview(near)
    medians: Any = memoryview(middle)
    modes: Any = memoryview(common)
    classes = len(first)
    lags = LAGS
    longest = LONGEST
    if min(len(last), len(medians) // lags, len(modes) // 2) < classes or len(counts) < longest:
        raise ValueError("too few places")
    bad = 0
    with cython.nogil:
        for row in range(classes):
            start = first[row]
            stop = last[row]
            if start < 0 or stop < start or stop > len(moments) or stop - start > len(gaps):
                bad = 1
                break
            for at in range(longest):
                counts[at] = 0
            for lag in range(1, lags + 1):
                number = stop - start - lag
                if number < 1:
                    medians[row * lags + lag - 1] = -1.0
                    continue
                for at in range(number):
                    gap = moments[start + at + lag] - moments[start + at]
                    gaps[at] = gap
                    if gap < longest and gap >= 1.0:
                        whole = nearest(gap)
                        if 2 <= whole < longest:
                            counts[whole] += 1
                medians[row * lags + lag - 1] = median_of(gaps, number)
            best = 0
            for at in range(1, longest):
                if counts[at] > counts[best]:
                    best = at
            modes[2 * row] = best
            modes[2 * row + 1] = counts[best]
    if bad:
        raise ValueError("a range beyond the visits, or too little room")


def medians(values: Any, starts: Any, stops: Any, room: Any, middle: Any) -> None:
    """Find the median of each range of values: float64; -1 where it is empty. Parameters as for ``spans``."""
    given: Any = memoryview(values)
    first: Any = memoryview(starts)
    last: Any = memoryview(stops)
    sorting: Any = memoryview(room)
    answers: Any = memoryview(middle)
    classes = len(first)
    if min(len(last), len(answers)) < classes:
        raise ValueError("too few places")
    bad = 0
    with cython.nogil:
        for row in range(classes):
            start = first[row]
            stop = last[row]
            if start < 0 or stop < start or stop > len(given) or stop - start > len(sorting):
                bad = 1
                break
            for at in range(stop - start):
                sorting[at] = given[start + at]
            answers[row] = median_of(sorting, stop - start) if stop > start else -1.0
    if bad:
        raise ValueError("a range beyond the values, or too little room")


def number(key: Any, begin: Any, factor: Any, slots: Any, owner: Any, distinct: Any, counts: Any, met: Any) -> int:
    """Number keys in the order in which they first come, by a table of hashes.

    Parameters
    ----------
    key
        Keys, int64.
    begin
        Where to begin: those before were numbered by an earlier call.
    factor
        An odd number below 2**64, by which keys are hashed: one that nobody knows, so that nobody sends keys that
        collide.
    slots
        The table, int32, a power of two and at least two: -1 where it is empty.
    owner
        For the answers, int32: the number of each key.
    distinct, counts
        For the answers, int64: the distinct keys by their number, and how often each came (added to what is there).
    met
        Distinct keys so far, int64, one value; changed.

    Returns
    -------
    Where it ended: before the end of the keys if more than half of the slots would be taken.

    Raises
    ------
    ValueError
        There is no room for so many answers, or the table is none.
    """
    values: Any = memoryview(key)
    table: Any = memoryview(slots)
    numbers: Any = memoryview(owner)
    names: Any = memoryview(distinct)
    sizes: Any = memoryview(counts)
    known: Any = memoryview(met)
    keys = len(values)
    wide = len(table)
    most = min(wide // 2, len(names), len(sizes))
    room = len(numbers) >= keys and len(known) == 1 and wide >= 2 and not wide & (wide - 1)
    if not room or not 0 <= known[0] <= most or begin < 0:
        raise ValueError("too few places, or no table")
    shift = 65 - len(table).bit_length()
    times = factor
    every = MASK
    end = begin
    with cython.nogil:
        met_here = known[0]
        while end < keys:
            name = values[end]
            place = ((name & every) * times & every) >> shift
            row = table[place]
            while row >= met_here or (row >= 0 and names[row] != name):
                place = (place + 1) & (wide - 1)
                row = table[place]
            if row < 0:
                if met_here >= most:
                    break
                row = met_here
                table[place] = row
                names[row] = name
                met_here += 1
            numbers[end] = row
            sizes[row] += 1
            end += 1
        known[0] = met_here
    return int(end)


def gather(owner: Any, moment: Any, places: Any, sorted_moments: Any) -> None:
    """Put times in the order of their classes, and those of a class in their own.

    Parameters
    ----------
    owner, moment
        Class of each visit, int32 from 0, and its time, int64.
    places
        Where each class begins, int64, and behind the last one the number of visits; holds afterwards where each ends.
    sorted_moments
        For the answer: int64, as many as there are visits.

    Raises
    ------
    ValueError
        A class that has no place, or more visits than its place has room for.
    """
    owners: Any = memoryview(owner)
    given: Any = memoryview(moment)
    ends: Any = memoryview(places)
    answers: Any = memoryview(sorted_moments)
    visits = len(owners)
    classes = len(ends) - 1
    if len(given) < visits or len(answers) < visits or classes < 0:
        raise ValueError("too few places")
    bad = 0
    with cython.nogil:
        for at in range(visits):
            row = owners[at]
            place = ends[row] if 0 <= row < classes else -1
            if place < 0 or place >= visits:
                bad = 1
                break
            answers[place] = given[at]
            ends[row] = place + 1
        start = 0
        for row in range(classes if not bad else 0):
            if ends[row] < start or ends[row] > visits:
                bad = 1
                break
            sort(answers, start, ends[row])
            start = ends[row]
    if bad:
        raise ValueError("classes and places that do not belong together")


def sort(values: Any, start: int, stop: int) -> int:
    """Sort a range of numbers that are mostly in order (Shell's method, with steps of about 2.25)."""
    at = start + 1
    while at < stop and values[at - 1] <= values[at]:
        at += 1
    if at >= stop:
        return 0
    step = 1
    while step * 9 // 4 + 1 < stop - start:
        step = step * 9 // 4 + 1
    while step > 0:
        for at in range(start + step, stop):
            value = values[at]
            to = at
            while to - step >= start and values[to - step] > value:
                values[to] = values[to - step]
                to -= step
            values[to] = value
        step = step * 4 // 9
    return 0


def nearest(value: float) -> int:
    """Round a number that is not negative to a whole one; halves to the even one, as NumPy does."""
    below = int(value)
    rest = value - below
    return below + (1 if rest > 0.5 or (rest == 0.5 and below & 1) else 0)


def median_of(values: Any, number: int) -> Any:
    """Return the median of the first ``number`` values, at least one, which are put into another order (Hoare's quickselect)."""
    low = 0
    high = number - 1
    wanted = (number - 1) // 2
    while low < high:
        pivot = values[(low + high) // 2]
        left = low
        right = high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                kept = values[left]
                values[left] = values[right]
                values[right] = kept
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    middle = values[wanted]
    if number % 2:
        return middle
    above = values[wanted + 1]
    for at in range(wanted + 2, number):
        if values[at] < above:
            above = values[at]
    return (middle + above) / 2
