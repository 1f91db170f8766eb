cimport cython
from necropsy.evidence.rdb.radix cimport Radix
from necropsy.evidence.rdb.sizes cimport Sizes
from necropsy.evidence.rdb.read_buffer cimport Window

cdef int ROOM

cdef class Opaque:
    cdef Window window
    cdef Sizes sizes
    cdef Radix radix
    # What was passed: elements, and the bytes that the server needs for them.
    cdef long long elements
    cdef long long weight

    @cython.locals(nodes="long long", count="long long", i="long long", got=Py_ssize_t)
    cdef int stream(self, int version) except -1
    @cython.locals(count="long long", pending="long long", consumers="long long")
    cdef int group(self, int version) except -1
    cdef int producers(self) except -1
    @cython.locals(code="long long")
    cdef int module(self) except -1
    cdef int module_fact(self) except -1
    @cython.locals(count="long long", tag="long long")
    cdef int array(self) except -1
    cdef int key_metadata(self) except -1
    cdef int function(self) except -1
    cdef int slot_import(self) except -1
