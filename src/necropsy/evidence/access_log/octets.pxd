cimport cython

from libc.string cimport memchr, memcmp, memcpy

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define necropsy_prefetch(place) __builtin_prefetch(place)
    #else
    #define necropsy_prefetch(place) ((void)(place))
    #endif

    /* The product of two words, 128 bits: its halves. */
    static inline void necropsy_multiply(unsigned long long one, unsigned long long other, unsigned long long* low, unsigned long long* high) {
    #ifdef __SIZEOF_INT128__
        unsigned __int128 product = (unsigned __int128)one * other;
        *low = (unsigned long long)product;
        *high = (unsigned long long)(product >> 64);
    #else
        unsigned long long a = one >> 32, b = one & 0xFFFFFFFFu, c = other >> 32, d = other & 0xFFFFFFFFu;
        unsigned long long ad = a * d, bd = b * d, middle = (bd >> 32) + (ad & 0xFFFFFFFFu) + b * c;
        *low = (middle << 32) | (bd & 0xFFFFFFFFu);
        *high = a * c + (ad >> 32) + (middle >> 32);
    #endif
    }
    """
    void prefetch "necropsy_prefetch"(const void* place) noexcept nogil
    void multiply "necropsy_multiply"(unsigned long long one, unsigned long long other, unsigned long long* low, unsigned long long* high) noexcept nogil

cdef long long NO_TIME, EARLIEST_US, LATEST_US
cdef int ISO, COMMON, COMMON_LOCAL, EPOCH, EPOCH_MS
cdef const unsigned char* WORDS
cdef Py_ssize_t NULL_AT, TRUE_AT, FALSE_AT, GET_AT

# What the bytes of every line go through stands here, so that it is compiled into each module that calls it.

cdef inline unsigned long long mixed(unsigned long long one, unsigned long long other) noexcept nogil:
    cdef unsigned long long low, high
    multiply(one, other, &low, &high)
    return low ^ high

cdef inline unsigned long long word(const unsigned char* at) noexcept nogil:
    cdef unsigned long long value
    memcpy(&value, at, 8)
    return value

cdef inline unsigned long long half_word(const unsigned char* at) noexcept nogil:
    cdef unsigned int value
    memcpy(&value, at, 4)
    return value

cdef inline unsigned long long key_of(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned long long seed) noexcept nogil:
    cdef Py_ssize_t length = stop - start, left = length, inner
    cdef const unsigned char* at = data + start
    cdef unsigned long long low, high, second, third
    if length <= 0:
        return 0
    seed ^= mixed(seed ^ <unsigned long long>0x2D358DCCAA6C78A5, <unsigned long long>0x8BB84B93962EACC9)
    if length < 4:
        low = (<unsigned long long>at[0] << 16) | (<unsigned long long>at[length >> 1] << 8) | at[length - 1]
        high = 0
    elif length <= 16:
        inner = length >> 3 << 2
        low = half_word(at) << 32 | half_word(at + inner)
        high = half_word(at + length - 4) << 32 | half_word(at + length - 4 - inner)
    else:
        if left >= 48:
            second = third = seed
            while left >= 48:
                seed = mixed(word(at) ^ <unsigned long long>0x8BB84B93962EACC9, word(at + 8) ^ seed)
                second = mixed(word(at + 16) ^ <unsigned long long>0x4B33A62ED433D4A3, word(at + 24) ^ second)
                third = mixed(word(at + 32) ^ <unsigned long long>0x4D5A2DA51DE1AA47, word(at + 40) ^ third)
                at += 48
                left -= 48
            seed ^= second ^ third
        while left > 16:
            seed = mixed(word(at) ^ <unsigned long long>0x8BB84B93962EACC9, word(at + 8) ^ seed)
            at += 16
            left -= 16
        low = word(data + stop - 16)
        high = word(data + stop - 8)
    multiply(low ^ <unsigned long long>0x8BB84B93962EACC9, high ^ seed, &low, &high)
    low = mixed(low ^ <unsigned long long>0x2D358DCCAA6C78A5 ^ <unsigned long long>length, high ^ <unsigned long long>0x8BB84B93962EACC9)
    return low if low != 0 else 1

cdef inline Py_ssize_t find(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int byte) noexcept nogil:
    cdef const unsigned char* place
    if start >= stop:
        return stop
    place = <const unsigned char*>memchr(data + start, byte, stop - start)
    return stop if place == NULL else place - data

cdef inline bint same(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, const unsigned char* other, Py_ssize_t begin, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t i = 0
    if start + length > stop:
        return False
    if length >= 8:
        return memcmp(data + start, other + begin, length) == 0
    while i < length:
        if data[start + i] != other[begin + i]:
            return False
        i += 1
    return True

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
