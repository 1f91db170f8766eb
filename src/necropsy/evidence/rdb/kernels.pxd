cimport cython

cdef extern from *:
    """
    #include <string.h>
    /* Whether two texts of one length are the same. Those of a name's length are compared by overlapping words: a call takes longer. */
    static inline int necropsy_equal(const unsigned char *one, const unsigned char *other, Py_ssize_t count) {
        unsigned long long left, right, differ = 0;
        Py_ssize_t at;
        if (count < 8 || count > 64) return memcmp(one, other, (size_t)count) == 0;
        for (at = 0; at + 8 < count; at += 8) {
            memcpy(&left, one + at, 8);
            memcpy(&right, other + at, 8);
            differ |= left ^ right;
        }
        memcpy(&left, one + count - 8, 8);
        memcpy(&right, other + count - 8, 8);
        return !(differ | (left ^ right));
    }
    """
    bint equal_words "necropsy_equal"(const unsigned char* one, const unsigned char* other, Py_ssize_t count) noexcept nogil

cdef unsigned long long SEED, MIXER, ALL_BITS

cdef class Memory:
    cdef readonly object owner
    cdef readonly Py_ssize_t size
    cdef unsigned char* start

    cpdef int byte(self, Py_ssize_t at) except -1
    @cython.locals(value="unsigned long long", i=Py_ssize_t)
    cpdef long long little(self, Py_ssize_t at, Py_ssize_t width) except? -1
    @cython.locals(value="long long", limit="long long")
    cpdef long long signed_little(self, Py_ssize_t at, Py_ssize_t width) except? -1
    @cython.locals(value="unsigned long long", i=Py_ssize_t)
    cpdef long long big(self, Py_ssize_t at, Py_ssize_t width) except? -1
    cpdef int copy(self, Py_ssize_t at, Memory other, Py_ssize_t start, Py_ssize_t count) except -1
    cpdef bint same(self, Py_ssize_t at, Memory other, Py_ssize_t start, Py_ssize_t count) except? False
    @cython.locals(rest="unsigned long long", at=Py_ssize_t, length=Py_ssize_t, i=Py_ssize_t, end=Py_ssize_t, digit=cython.uchar)
    cpdef Py_ssize_t spell(self, long long value) except -1
    @cython.locals(at=Py_ssize_t, to=Py_ssize_t, end=Py_ssize_t, control=Py_ssize_t, length=Py_ssize_t, back=Py_ssize_t)
    cpdef Py_ssize_t expand(self, Memory other, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t limit) except -1
    cpdef bint is_number(self, Py_ssize_t start, Py_ssize_t length) except? False
    @cython.locals(value="unsigned long long")
    cpdef unsigned long long spread(self, Py_ssize_t start, Py_ssize_t stop) except? 0
    cpdef unsigned long long mark(self, Py_ssize_t start, Py_ssize_t stop) except? 0
    cpdef unsigned long long crc64(self, unsigned long long crc, Py_ssize_t start, Py_ssize_t stop) except? 0

cdef int check(Memory memory, Py_ssize_t at, Py_ssize_t count) except -1
cdef int move(const unsigned char* source, Py_ssize_t start, unsigned char* target, Py_ssize_t at, Py_ssize_t count) noexcept
cdef bint equal(const unsigned char* one, Py_ssize_t start, const unsigned char* other, Py_ssize_t at, Py_ssize_t count) noexcept
@cython.locals(value="unsigned long long", second="unsigned long long", third="unsigned long long", fourth="unsigned long long")
cdef unsigned long long marked(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept
cdef unsigned long long mixed(unsigned long long value, unsigned long long more) noexcept
@cython.locals(value="unsigned long long")
cdef unsigned long long word(const unsigned char* data, Py_ssize_t at, Py_ssize_t count) noexcept
@cython.locals(i=Py_ssize_t, stop=Py_ssize_t, digits=Py_ssize_t, last=int, most=int)
cdef bint numeric(const unsigned char* text, Py_ssize_t at, Py_ssize_t length, const unsigned char* largest) noexcept
