cimport cython
from necropsy.evidence.rdb.kernels cimport Memory

cdef int PLAIN, NUMBER, COMPRESSED
cdef long long LONGEST, EXPANSION

cdef class Window:
    cdef object read
    cdef Py_ssize_t piece
    cdef Memory memory
    cdef Py_ssize_t position
    cdef Py_ssize_t filled
    cdef Py_ssize_t limit
    cdef Py_ssize_t summed
    cdef bint summing
    cdef public unsigned long long checksum
    cdef public long long base
    cdef public bint ended
    cdef Memory scratch

    # The text that text() found: its kind, and where it is.
    cdef int kind
    cdef long long number
    cdef long long stored
    cdef long long length
    # Where open_text() put its first bytes.
    cdef Memory opened
    cdef Py_ssize_t opened_at

    cpdef long long offset(self) except? -1
    cpdef unsigned long long sum_up(self) except? 0

    cdef int need(self, long long count) except -1
    cdef int refill(self, long long count) except -1
    @cython.locals(wider=Memory)
    cdef int grow(self) except -1
    cdef int skip(self, long long count) except -1

    cpdef bytes take(self, Py_ssize_t count)
    cdef int byte(self) except -1
    cdef long long little(self, int width) except? -1
    cdef long long big(self, int width) except? -1
    @cython.locals(first=int)
    cdef long long size(self) except -1
    @cython.locals(first=int)
    cdef int skip_size(self) except -1
    @cython.locals(first=int, special=int)
    cdef int text(self) except -1
    cdef int skip_text(self) except -1
    cdef int pass_text(self) except -1
    @cython.locals(wanted=Py_ssize_t, room="long long")
    cdef Py_ssize_t open_text(self, long long limit) except -1
    cdef int reserve(self, Py_ssize_t count) except -1
