cimport cython
from necropsy.evidence.rdb.columns cimport Columns
from necropsy.evidence.rdb.projection cimport Picker
from necropsy.evidence.rdb.values cimport ValueReader
from necropsy.evidence.rdb.read_buffer cimport Window

cdef long long EARLIEST, LATEST, LONGEST_KEY

cdef class Scanner:
    cdef readonly Window window
    cdef readonly Columns columns
    cdef Picker picker
    cdef ValueReader values
    cdef readonly dict facts
    cdef bint valkey
    cdef str allocator
    cdef readonly int version
    cdef int db
    cdef long long expires_at
    cdef bint expires
    cdef long long idle
    cdef int frequency
    cdef readonly long long keys_read
    cdef readonly long long keys_seen
    cdef readonly long long announced
    cdef bint choosing
    cdef unsigned long long chosen_below
    cdef readonly long long record_at
    cdef readonly long long hurt
    cdef readonly long long hurt_at
    cdef readonly long long curtailed
    cdef readonly long long curtailed_at
    cdef readonly object hurt_why

    @cython.locals(code=int)
    cpdef bint fill(self) except? False
    @cython.locals(got=Py_ssize_t)
    cdef int key(self, int code) except -1
    cdef int row(self) except -1
    cdef int opcode(self, int code) except -1
    cdef int begin(self) except -1
