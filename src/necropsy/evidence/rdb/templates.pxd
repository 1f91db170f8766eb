cimport cython
from necropsy.evidence.rdb.packed cimport Packed
from necropsy.evidence.rdb.projection cimport Picker
from necropsy.evidence.rdb.read_buffer cimport Window

cdef int P_LISTPACK
cdef Py_ssize_t MOST_FIELDS

cdef class Templates:
    cdef Window window
    cdef Picker picker
    cdef dict known
    cdef long long fields

    cdef int define(self) except -1
    cdef object named(self, long long number)
    cdef object inside(self)
    @cython.locals(count="long long")
    cdef object texts(self)
    @cython.locals(got=Py_ssize_t, packed=Packed)
    cdef object packed_texts(self)
    @cython.locals(index=Py_ssize_t, count="long long", packed=Packed)
    cdef long long walk(self, object fields, long long got) except -1
