cimport cython
from necropsy.evidence.rdb.columns cimport Columns, Field, Texts
from necropsy.evidence.rdb.kernels cimport Memory
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
    cdef public Sizes sizes
    cdef Packed packed
    cdef bint valkey
    cdef public int version
    cdef long long string_bytes
    cdef unsigned char[::1] lengths_wanted
    cdef Py_ssize_t field_count
    cdef tuple members_of
    cdef public dict templates
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

    @cython.locals(members="bint")
    cdef int read(self, int code) except -1
    cdef int read_rare(self, int code) except -1
    @cython.locals(got=Py_ssize_t)
    cdef int string(self) except -1
    cdef int texts(self, int type, int encoding) except -1
    cdef int sorted(self, bint binary) except -1
    @cython.locals(index=Py_ssize_t, weight="long long", count="long long", i="long long", got=Py_ssize_t)
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
    cdef int harm(self, str why) except -1
    cdef int pick_members(self) except -1
