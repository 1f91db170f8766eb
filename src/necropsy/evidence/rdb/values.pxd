cimport cython
from necropsy.evidence.rdb.skip cimport Opaque
from necropsy.evidence.rdb.packed cimport Packed
from necropsy.evidence.rdb.projection cimport Picker
from necropsy.evidence.rdb.sizes cimport Sizes
from necropsy.evidence.rdb.templates cimport Templates
from necropsy.evidence.rdb.read_buffer cimport Window

cdef int STRING, LIST, SET, ZSET, HASH, STREAM, MODULE, ARRAY
cdef int E_RAW, E_INT, E_EMBSTR, E_LINKEDLIST, E_ZIPLIST, E_QUICKLIST, E_LISTPACK, E_HASHTABLE, E_INTSET, E_SKIPLIST
cdef int E_ZIPMAP, E_LISTPACKEX, E_STREAM, E_TEMPLATE_LISTPACK, E_TEMPLATE_ARRAY, E_SLICED_ARRAY
cdef int P_LISTPACK, P_ZIPLIST, P_ZIPMAP, P_INTSET
cdef int K_PLAIN, K_NUMBER

cdef class ValueReader:
    cdef Window window
    cdef Picker picker
    cdef Sizes sizes
    cdef Packed packed
    cdef Opaque opaque
    cdef Templates templates
    cdef bint valkey
    cdef int version
    # Of the key, set before read().
    cdef long long key_length
    cdef bint expires
    # What read() found.
    cdef int type
    cdef int encoding
    cdef long long elements
    cdef long long weight
    cdef bint empty

    cpdef weigh_as(self, Sizes sizes)
    cdef int read(self, int code) except -1
    cdef int read_rare(self, int code) except -1
    cdef int read_new(self, int code) except -1
    cdef int string(self) except -1
    @cython.locals(weight="long long", count="long long")
    cdef int texts(self, int type, int encoding) except -1
    @cython.locals(weight=double, count="long long", size=int)
    cdef int sorted(self, bint binary) except -1
    @cython.locals(weight="long long", count="long long", index=Py_ssize_t, field_length="long long", lives="bint", wanted="bint")
    cdef int hash(self, int extra) except -1
    @cython.locals(length="long long")
    cdef int blob(self, int type, int encoding, int format, int stride) except -1
    @cython.locals(count="long long")
    cdef int walk(self, int type, int format, int stride, long long got) except -1
    @cython.locals(index=Py_ssize_t, place=int, count="long long")
    cdef long long walk_hash(self, int stride) except -1
    @cython.locals(count="long long")
    cdef long long walk_members(self, int stride) except -1
    @cython.locals(weight="long long", elements="long long", length="long long", count="long long", node="long long",
                    kept="long long", within="long long", plain="bint", packed="bint")
    cdef int list_nodes(self, bint containers) except -1
    cdef bint container(self) except? False
    @cython.locals(got=Py_ssize_t)
    cdef long long claimed(self, bint containers) except -2
    @cython.locals(weight="long long", count="long long", index=Py_ssize_t)
    cdef int template_values(self, object fields) except -1
    @cython.locals(length="long long")
    cdef int template_blob(self, object fields) except -1
    cdef int opaque_value(self, int type, int encoding) except -1
