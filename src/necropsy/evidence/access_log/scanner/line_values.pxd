cimport cython
from necropsy.evidence.access_log.scanner.byte_loops cimport FALSE_AT, NULL_AT, TRUE_AT, WORDS, digits, find, same, word_end

cdef int WORD, QUOTED, BRACKETED
cdef Py_ssize_t SLOTS

cdef class Values:
    cdef int is_text
    cdef object kept
    cdef const unsigned char* names
    cdef const unsigned char* literals
    cdef const unsigned char* data
    cdef Py_ssize_t slots, head_length, name_count, value_count
    cdef long long[::1] name_at, of_length, value_slot, value_kind, literal_at
    cdef long long[::1] begin, finish, quoted

    @cython.locals(slot=Py_ssize_t)
    cdef int find_values(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(at=Py_ssize_t, number=Py_ssize_t, first=Py_ssize_t, length=Py_ssize_t, end=Py_ssize_t, kind=int, slot=Py_ssize_t)
    cdef int text(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(at=Py_ssize_t, end=Py_ssize_t, slot=Py_ssize_t)
    cdef int json(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(length=Py_ssize_t, slot=Py_ssize_t, first=Py_ssize_t)
    cdef Py_ssize_t slot_of(self, Py_ssize_t start, Py_ssize_t stop) except? -2 nogil
    @cython.locals(length=Py_ssize_t, point=Py_ssize_t, whole="long long")
    cdef int bare(self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t slot) except -1 nogil
