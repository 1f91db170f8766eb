cimport cython

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define necropsy_prefetch(place) __builtin_prefetch(place)
    #else
    #define necropsy_prefetch(place) ((void)(place))
    #endif
    """
    void prefetch "necropsy_prefetch"(const void* place) noexcept nogil

cdef unsigned long long MULTIPLIER
cdef long long NO_TIME, EARLIEST_US, LATEST_US
cdef int ISO, COMMON, COMMON_LOCAL, EPOCH, EPOCH_MS
cdef const unsigned char* WORDS
cdef Py_ssize_t NULL_AT, TRUE_AT, FALSE_AT, GET_AT

@cython.locals(length=Py_ssize_t, mixed="unsigned long long", word="unsigned long long", at=Py_ssize_t)
cdef unsigned long long key_of(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned long long seed) noexcept nogil
@cython.locals(place="const unsigned char*")
cdef Py_ssize_t find(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int byte) noexcept nogil
cdef bint same(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, const unsigned char* other, Py_ssize_t begin, Py_ssize_t length) noexcept nogil
@cython.locals(odd=cython.uchar, at=Py_ssize_t)
cdef bint is_plain(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(value="long long", at=Py_ssize_t)
cdef long long digits(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(leap=bint, last="long long", era="long long", of_era="long long", of_year="long long", days="long long")
cdef long long seconds_of_date(long long year, long long month, long long day, long long hour, long long minute, long long second) noexcept nogil
@cython.locals(length=Py_ssize_t, sign=int, hours="long long", minutes="long long", ahead="long long")
cdef long long zone_seconds(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(value="long long", missing=Py_ssize_t)
cdef long long fraction_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(length=Py_ssize_t, fraction="long long", ahead="long long", seconds="long long", at=Py_ssize_t, first=Py_ssize_t, point=Py_ssize_t, month=Py_ssize_t, milliseconds="long long", moment="long long")
cdef long long time_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int form) noexcept nogil

@cython.locals(out="unsigned long long[::1]", stops="long long[::1]", pointer="const unsigned char*", count=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t, number=Py_ssize_t, stop=Py_ssize_t)
cpdef object fill_keys(bytes data, object ends, object found, unsigned long long seed)
