cimport cython

cdef class Sizes:
    cdef readonly int pointer
    cdef readonly bint jemalloc
    cdef readonly int object_size
    cdef readonly int dict_size
    cdef readonly int entry_size
    cdef readonly double node_size

    @cython.locals(step="long long")
    cpdef long long allocated(self, long long count) except -1
    cdef long long text(self, long long length) except -1
    cpdef long long slots(self, long long count) except -1
    cdef long long key(self, long long length, bint expires) except -1
    cdef long long string(self, long long length, int encoding) except -1
    cdef long long table(self, long long count) except -1
    cdef long long table_entry(self) except -1
    cdef long long sorted_table(self, long long count) except -1
    cdef long long packed(self, long long length) except -1
    cdef long long list_head(self) except -1
    cdef long long list_node(self, long long length) except -1
