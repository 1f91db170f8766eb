cimport cython
from necropsy.evidence.rdb.kernels cimport Memory

cdef class Radix:
    cdef Memory last
    cdef Memory branches
    cdef int depth
    cdef int before
    cdef long long keys
    cdef long long runs
    cdef long long forks

    cdef int clear(self) except -1
    @cython.locals(common=int)
    cdef int add(self, Memory memory, Py_ssize_t at) except -1
    @cython.locals(top=int, parent=int)
    cdef int close(self, int common) except -1
    cdef int leaf(self, int common) except -1
    cdef long long size(self, bint exact) except -1
