cimport cython
from necropsy.evidence.rdb.columns cimport Columns, Field, Texts
from necropsy.evidence.rdb.kernels cimport Memory
from necropsy.evidence.rdb.opaque cimport Opaque
from necropsy.evidence.rdb.packed cimport Packed
from necropsy.evidence.rdb.sizes cimport Sizes
from necropsy.evidence.rdb.window cimport Window

cdef int STRING, LIST, SET, ZSET, HASH, STREAM, MODULE, ARRAY
cdef int E_RAW, E_INT, E_EMBSTR, E_LINKEDLIST, E_ZIPLIST, E_QUICKLIST, E_LISTPACK, E_HASHTABLE, E_INTSET, E_SKIPLIST
cdef int E_ZIPMAP, E_LISTPACKEX, E_STREAM, E_TEMPLATE_LISTPACK, E_TEMPLATE_ARRAY, E_SLICED_ARRAY
cdef int P_LISTPACK, P_ZIPLIST, P_ZIPMAP, P_INTSET
cdef int K_PLAIN, K_NUMBER, K_COMPRESSED

cdef class Values:
    cdef Window window
    cdef Columns columns
    cdef Sizes sizes
    cdef Packed packed
    cdef readonly Opaque opaque
    cdef bint valkey
    cdef public int version
    cdef public long long key_length
    cdef public bint expires
    cdef long long string_bytes
    cdef unsigned char[::1] lengths_wanted
    cdef Py_ssize_t field_count
    cdef tuple members_of
    cdef dict templates
    cdef Py_ssize_t template_fields
    cdef public bint keeping
    cdef bint want_members
    # What read() found.
    cdef int type
    cdef int encoding
    cdef long long elements
    cdef long long weight
    cdef public bint hurt
    cdef public object why
    cdef readonly bint empty

    cpdef weigh_as(self, Sizes sizes)
    @cython.locals(members="bint")
    cdef int read(self, int code) except -1
    cdef int read_rare(self, int code) except -1
    @cython.locals(got=Py_ssize_t)
    cdef int string(self) except -1
    @cython.locals(weight="long long", count="long long")
    cdef int texts(self, int type, int encoding) except -1
    @cython.locals(weight=double, count="long long", size=int)
    cdef int sorted(self, bint binary) except -1
    @cython.locals(weight="long long", count="long long", index=Py_ssize_t, field_length="long long", lives="bint")
    cdef int hash(self, int extra) except -1
    cdef int blob(self, int type, int encoding, int format, int stride) except -1
    @cython.locals(got="long long")
    cdef int walk(self, int type, int format, int stride, long long got) except -1
    @cython.locals(index=Py_ssize_t, place=int)
    cdef int walk_hash(self, int stride) except -1
    cdef int walk_members(self, int stride) except -1
    cdef int list_nodes(self, bint containers) except -1
    @cython.locals(field=Field, i=Py_ssize_t)
    cdef Py_ssize_t match(self, Memory memory, Py_ssize_t start, Py_ssize_t length) except -2
    @cython.locals(field=Field)
    cdef int keep_packed(self, Py_ssize_t index) except -1
    @cython.locals(field=Field, got=Py_ssize_t)
    cdef int keep_text(self, Py_ssize_t index) except -1
    cdef object template_inside(self)
    cdef object template_named(self, long long number)
    @cython.locals(count="long long")
    cdef object template_texts(self)
    cdef object template_packed(self)
    cdef int template(self) except -1
    cdef int field_named(self, long long length) except -2
    @cython.locals(count="long long", index=Py_ssize_t)
    cdef int template_values(self, object fields) except -1
    cdef int template_blob(self, object fields) except -1
    @cython.locals(index=Py_ssize_t)
    cdef int walk_template(self, object fields, long long got) except -1
    cdef int opaque_value(self, int type, int encoding) except -1
    cdef int harm(self, str why) except -1
    cdef int pick_members(self) except -1
