cimport cython

cdef unsigned long long FIRST, SECOND, THIRD, FOURTH

cdef class Hasher:
    cdef unsigned long long low
    cdef unsigned long long high

    @cython.locals(texts="const unsigned char[::1]", ends="const int[::1]", hashes="unsigned long long[::1]", count=Py_ssize_t, size=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, sound=bint)
    cpdef column(self, data, offsets, answers)

@cython.locals(a="unsigned long long", b="unsigned long long", c="unsigned long long", d="unsigned long long", word="unsigned long long", last="unsigned long long", rounds=int, whole=Py_ssize_t, at=Py_ssize_t, _=int)
cdef unsigned long long siphash(unsigned long long low, unsigned long long high, const unsigned char* data, Py_ssize_t size) noexcept nogil
@cython.locals(value="unsigned long long")
cdef unsigned long long little(const unsigned char* data, Py_ssize_t at, Py_ssize_t count) noexcept nogil
cdef unsigned long long plus(unsigned long long one, unsigned long long other) noexcept nogil
cdef unsigned long long turn(unsigned long long value, int count) noexcept nogil
