cimport cython

@cython.locals(moments="const double[::1]", first="const long long[::1]", last="const long long[::1]", rates="const double[::1]", numbers="const long long[::1]", counts="long long[::1]", found="long long[::1]", sums="long long[::1]", rough="long long[::1]", classes=Py_ssize_t, bad=int, row=Py_ssize_t, start="long long", stop="long long", number="long long", at="long long", factor=double, before="long long", place=double, turn="long long", fine_before="long long", rough_before="long long", total="long long", fine="long long", wide="long long", wide_cells="long long", moved="long long", fresh="long long", most="long long", most_both="long long", here="long long", both="long long", one="long long", two="long long")
cpdef occupy(seconds, starts, stops, rate, cells, room, cell, turns, coarse)
@cython.locals(moments="const double[::1]", first="const long long[::1]", last="const long long[::1]", gaps="double[::1]", counts="long long[::1]", medians="double[::1]", modes="long long[::1]", classes=Py_ssize_t, bad=int, row=Py_ssize_t, start="long long", stop="long long", at="long long", lag="long long", lags="long long", longest="long long", number="long long", gap=double, whole="long long", best="long long")
cpdef spans(seconds, starts, stops, room, near, middle, common)
@cython.locals(given="const double[::1]", first="const long long[::1]", last="const long long[::1]", sorting="double[::1]", answers="double[::1]", classes=Py_ssize_t, bad=int, row=Py_ssize_t, start="long long", stop="long long", at="long long")
cpdef medians(values, starts, stops, room, middle)
@cython.locals(below="long long", rest=double)
cdef long long nearest(double value) noexcept nogil
@cython.locals(low="long long", high="long long", wanted="long long", pivot=double, left="long long", right="long long", kept=double, middle=double, above=double, at="long long")
cdef double median_of(double[::1] values, long long number) noexcept nogil
@cython.locals(values="const long long[::1]", table="int[::1]", numbers="int[::1]", names="long long[::1]", sizes="long long[::1]", known="long long[::1]", keys=Py_ssize_t, wide=Py_ssize_t, most="long long", shift=int, times="unsigned long long", every="unsigned long long", end=Py_ssize_t, met_here="long long", name="long long", place=Py_ssize_t, row="long long")
cpdef number(key, begin, factor, slots, owner, distinct, counts, met)
@cython.locals(owners="const int[::1]", given="const long long[::1]", ends="long long[::1]", answers="long long[::1]", visits=Py_ssize_t, classes=Py_ssize_t, bad=int, at=Py_ssize_t, row="long long", place="long long", start="long long")
cpdef gather(owner, moment, places, sorted_moments)
@cython.locals(at="long long", step="long long", to="long long", value="long long")
cdef int sort(long long[::1] values, long long start, long long stop) noexcept nogil
