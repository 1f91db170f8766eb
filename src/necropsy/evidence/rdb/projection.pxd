cimport cython
from necropsy.evidence.rdb.columns cimport Columns, Field, Texts
from necropsy.evidence.rdb.kernels cimport Memory
from necropsy.evidence.rdb.packed cimport Packed
from necropsy.evidence.rdb.read_buffer cimport Window

cdef int K_NUMBER, OPENED
cdef Py_ssize_t LARGEST_REPEATED
cdef Py_ssize_t MOST_MEMBERS
cdef long long EVERY

cdef class Picker:
    cdef Window window
    cdef Packed packed
    cdef Columns columns
    cdef long long string_bytes
    cdef Py_ssize_t field_count
    cdef unsigned char[::1] lengths
    cdef tuple members_of
    cdef bint lasting_members
    cdef unsigned char[::1] counts_empty
    cdef long long most_counted
    cdef bint counted
    cdef long long empty_fields
    cdef bint keeping
    cdef bint members
    cdef Py_ssize_t members_from
    cdef bint curtailed
    cdef bint hurt
    cdef object why

    cpdef renew(self, Columns columns)
    @cython.locals(wanted="bint")
    cdef int begin(self, int code, Py_ssize_t got, bint expires) except -1
    cdef bint fields_wanted(self) except? False
    @cython.locals(got=Py_ssize_t)
    cdef int head(self) except -1
    @cython.locals(got=Py_ssize_t)
    cdef int member(self) except -1
    cdef int packed_member(self) except -1
    cdef int seal_members(self) except -1
    @cython.locals(field=Field, i=Py_ssize_t)
    cdef Py_ssize_t match(self, Memory memory, Py_ssize_t start, Py_ssize_t length) except -2
    @cython.locals(got=Py_ssize_t)
    cdef Py_ssize_t named(self, long long length) except -2
    cdef Py_ssize_t packed_named(self) except -2
    @cython.locals(field=Field, got=Py_ssize_t, length="long long", known="bint", looked_up="bint")
    cdef int keep(self, Py_ssize_t index) except -1
    @cython.locals(field=Field, got=Py_ssize_t)
    cdef int keep_packed(self, Py_ssize_t index) except -1
    cdef int found(self, Field field, Py_ssize_t index) except -1
    cdef int harm(self, str why) except -1
