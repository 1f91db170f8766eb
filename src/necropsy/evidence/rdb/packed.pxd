cimport cython
from necropsy.evidence.rdb.kernels cimport Memory

cdef int LISTPACK, ZIPLIST, ZIPMAP, INTSET

cdef class Packed:
    cdef Memory memory
    cdef int format
    cdef Py_ssize_t at
    cdef Py_ssize_t stop
    cdef long long count
    cdef Memory digits
    cdef int width
    # The entry that advance() stands on.
    cdef Memory text
    cdef Py_ssize_t start
    cdef Py_ssize_t length
    cdef bint is_number
    cdef long long number

    @cython.locals(head=Py_ssize_t, size="long long")
    cdef int open(self, int format, Memory memory, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef bint advance(self) except? False
    cdef int spell(self) except -1
    @cython.locals(at=Py_ssize_t, body=Py_ssize_t, after=Py_ssize_t, first=int, width=int, number="long long", offset="long long", length=Py_ssize_t, total=Py_ssize_t)
    cdef bint advance_listpack(self) except? False
    @cython.locals(at=Py_ssize_t, first=int, length=Py_ssize_t)
    cdef bint advance_ziplist(self) except? False
    @cython.locals(at=Py_ssize_t, free=Py_ssize_t, length=Py_ssize_t, first=int)
    cdef bint advance_zipmap(self) except? False
    cdef bint take_number(self, Py_ssize_t at, int width, Py_ssize_t after) except? False
    cdef bint take_text(self, Py_ssize_t at, Py_ssize_t length, Py_ssize_t after) except? False
    cdef bint at_value
