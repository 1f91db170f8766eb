cimport cython
from necropsy.evidence.rdb.kernels cimport Memory

cdef int MOST_TRIES

cdef class Texts:
    cdef Memory memory
    cdef object offset_memory
    cdef int[::1] offsets
    cdef object valid_memory
    cdef unsigned char[::1] valid
    cdef Py_ssize_t used
    cdef Py_ssize_t sealed
    cdef Py_ssize_t rows
    cdef public bint nullable

    cdef int expect(self, Py_ssize_t count) except -1
    @cython.locals(wider=Memory)
    cdef int room(self, Py_ssize_t count) except -1
    cdef int put(self, Memory data, Py_ssize_t start, Py_ssize_t count) except -1
    cdef int seal(self, Py_ssize_t row) except -1
    @cython.locals(i=Py_ssize_t)
    cdef int reach(self, Py_ssize_t row) except -1
    cdef int more_rows(self, Py_ssize_t row) except -1
    cdef int drop(self) except -1

cdef class Field:
    cdef Memory name
    cdef Py_ssize_t size
    cdef long long keep
    cdef Texts texts
    cdef object length_memory
    cdef long long[::1] lengths
    cdef bint found
    cdef long long length
    cdef bint repeats
    cdef Texts originals
    cdef unsigned long long[::1] hashes
    cdef Py_ssize_t mask
    cdef int[::1] places
    cdef int[::1] values
    cdef object valid_memory
    cdef unsigned char[::1] valid
    cdef int value
    cdef Py_ssize_t pending
    cdef unsigned long long mark

    @cython.locals(mark="unsigned long long", place=Py_ssize_t, value=int, at=Py_ssize_t, tries=int)
    cdef bint known(self, Memory data, Py_ssize_t start, Py_ssize_t count, int kind) except? False
    @cython.locals(value=int)
    cdef int learn(self) except -1
    @cython.locals(value=int, place=Py_ssize_t, tries=int)
    cdef int spread_out(self, int count) except -1
    @cython.locals(taken=Py_ssize_t)
    cdef Py_ssize_t seal(self, Py_ssize_t row) except -1

cdef class Columns:
    cdef readonly Py_ssize_t capacity
    cdef readonly Py_ssize_t rows
    cdef readonly Py_ssize_t byte_limit
    cdef dict memories
    cdef int[::1] db
    cdef signed char[::1] type
    cdef signed char[::1] encoding
    cdef long long[::1] expires_at
    cdef unsigned char[::1] expires
    cdef long long[::1] idle
    cdef unsigned char[::1] idles
    cdef short[::1] frequency
    cdef unsigned char[::1] frequencies
    cdef long long[::1] elements
    cdef long long[::1] bytes
    cdef long long[::1] empty_fields
    cdef unsigned char[::1] empty_counted
    cdef Texts key
    cdef Texts head
    cdef Texts members
    cdef Texts member
    cdef list fields
    cdef bint has_head
    cdef bint has_members
    cdef Py_ssize_t found_fields
    cdef Py_ssize_t field_bytes

    @cython.locals(columns="Columns", field=Field, other=Field)
    cpdef Columns another(self, object projection)
    @cython.locals(texts=Py_ssize_t)
    cdef bint full(self) except? False
    @cython.locals(at=Py_ssize_t, field=Field)
    cdef int commit(self) except -1
    @cython.locals(field=Field)
    cdef int drop_value(self) except -1
    cdef int drop(self) except -1
    cdef int put_member(self, Memory data, Py_ssize_t start, Py_ssize_t count) except -1
