cimport cython

cdef Py_ssize_t SHORT
cdef int CLASSIC, KEYED, COMPACT

cdef class Sizes:
    cdef readonly int generation
    cdef readonly int pointer
    cdef readonly int quantum
    cdef readonly int embed_limit
    cdef int embed_head
    cdef int object_size
    cdef int entry_size
    cdef int sorted_entry_size
    cdef int dict_size
    cdef int expiry_size
    cdef long long[::1] short_texts
    cdef double levels

    @cython.locals(step="long long")
    cpdef long long allocated(self, long long count) except -1
    cdef long long request(self, long long length) except -1
    cpdef long long text(self, long long length) except -1
    cpdef long long slots(self, long long count) except -1
    cdef bint embeds(self, long long key, bint expires, long long length) except? False
    cdef long long record(self, long long key, bint expires) except -1
    cdef long long number(self, long long key, bint expires) except -1
    cdef long long embedded(self, long long key, bint expires, long long length) except -1
    @cython.locals(buckets="long long", load=double)
    cdef long long table(self, long long count) except -1
    @cython.locals(field="long long")
    cdef long long pair(self, long long field_length, long long value_length, bint expires) except -1
    cdef long long member(self, long long length) except -1
    cdef long long sorted_frame(self, long long count) except -1
    @cython.locals(base="long long")
    cdef double scored(self, long long length) except -1
    cdef long long list_frame(self) except -1
    cdef long long list_node(self, long long length) except -1
