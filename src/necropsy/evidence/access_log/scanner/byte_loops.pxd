cimport cython

from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define necropsy_prefetch(place) __builtin_prefetch(place)
    #else
    #define necropsy_prefetch(place) ((void)(place))
    #endif

    #include <string.h>
    #if defined(__SSE2__) && (defined(__GNUC__) || defined(__clang__))
    #include <emmintrin.h>
    #define NECROPSY_SSE2 1
    #endif

    /* Where a byte is in a range; stop: nowhere. What is sought is near: for longer ranges, memchr takes larger steps. */
    static inline Py_ssize_t necropsy_find(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int byte) {
    #ifdef NECROPSY_SSE2
        Py_ssize_t near_by = stop - start > 128 ? start + 128 : stop;
        const __m128i sought = _mm_set1_epi8((char)byte);
        while (near_by - start >= 16) {
            int there = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)(data + start)), sought));
            if (there) return start + __builtin_ctz((unsigned)there);
            start += 16;
        }
        if (near_by - start >= 8) {
            int there = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadl_epi64((const __m128i*)(data + start)), sought)) & 255;
            if (there) return start + __builtin_ctz((unsigned)there);
            start += 8;
        }
        while (start < near_by) {
            if (data[start] == byte) return start;
            start++;
        }
    #endif
        if (start < stop) {
            const unsigned char* place = (const unsigned char*)memchr(data + start, byte, (size_t)(stop - start));
            if (place) return place - data;
        }
        return stop;
    }

    /* Where a space, a quotation mark or one other byte is in a range; stop: nowhere. */
    static inline Py_ssize_t necropsy_word_end(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int other) {
    #ifdef NECROPSY_SSE2
        const __m128i sought = _mm_set1_epi8((char)other), space = _mm_set1_epi8(32), quote = _mm_set1_epi8(34);
        while (stop - start >= 16) {
            const __m128i bytes = _mm_loadu_si128((const __m128i*)(data + start));
            int there = _mm_movemask_epi8(_mm_or_si128(
                _mm_cmpeq_epi8(bytes, sought), _mm_or_si128(_mm_cmpeq_epi8(bytes, space), _mm_cmpeq_epi8(bytes, quote))));
            if (there) return start + __builtin_ctz((unsigned)there);
            start += 16;
        }
    #endif
        while (start < stop && data[start] != other && data[start] != 32 && data[start] != 34) start++;
        return start;
    }

    /* Where the first byte of a range is that is not printable ASCII, or a backslash; stop: nowhere. */
    #ifdef NECROPSY_SSE2
    static inline __m128i necropsy_odd_ones(const unsigned char* at) {
        const __m128i bytes = _mm_loadu_si128((const __m128i*)at);  /* as signed numbers, those beyond ASCII are below the space, too */
        return _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(32)),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(127)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(92))));
    }
    #endif
    static inline Py_ssize_t necropsy_odd(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) {
    #ifdef NECROPSY_SSE2
        while (stop - start >= 64 && !_mm_movemask_epi8(_mm_or_si128(
            _mm_or_si128(necropsy_odd_ones(data + start), necropsy_odd_ones(data + start + 16)),
            _mm_or_si128(necropsy_odd_ones(data + start + 32), necropsy_odd_ones(data + start + 48))))) start += 64;
        while (stop - start >= 16) {
            int there = _mm_movemask_epi8(necropsy_odd_ones(data + start));
            if (there) return start + __builtin_ctz((unsigned)there);
            start += 16;
        }
    #endif
        while (start < stop && data[start] >= 32 && data[start] < 127 && data[start] != 92) start++;
        return start;
    }

    /* Whether two texts of one length are the same. */
    static inline int necropsy_same(const unsigned char* one, const unsigned char* other, Py_ssize_t length) {
        if (length > 16) return memcmp(one, other, (size_t)length) == 0;
        if (length >= 8) {
            unsigned long long left, right, last_left, last_right;
            memcpy(&left, one, 8); memcpy(&right, other, 8);
            memcpy(&last_left, one + length - 8, 8); memcpy(&last_right, other + length - 8, 8);
            return left == right && last_left == last_right;
        }
        if (length >= 4) {
            unsigned int left, right, last_left, last_right;
            memcpy(&left, one, 4); memcpy(&right, other, 4);
            memcpy(&last_left, one + length - 4, 4); memcpy(&last_right, other + length - 4, 4);
            return left == right && last_left == last_right;
        }
        if (length <= 0) return 1;
        return one[0] == other[0] && one[length >> 1] == other[length >> 1] && one[length - 1] == other[length - 1];
    }

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
    Py_ssize_t find "necropsy_find"(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int byte) noexcept nogil
    Py_ssize_t word_end "necropsy_word_end"(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int other) noexcept nogil
    Py_ssize_t first_odd "necropsy_odd"(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
    bint same_bytes "necropsy_same"(const unsigned char* one, const unsigned char* other, Py_ssize_t length) noexcept nogil
    void multiply "necropsy_multiply"(unsigned long long one, unsigned long long other, unsigned long long* low, unsigned long long* high) noexcept nogil

cdef long long NO_TIME, EARLIEST_US, LATEST_US
cdef int AS_IT_IS, BYTES, PERCENT, PLUS, JSON
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

cdef inline bint same(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, const unsigned char* other, Py_ssize_t begin, Py_ssize_t length) noexcept nogil:
    return start + length <= stop and same_bytes(data + start, other + begin, length)

cdef Py_ssize_t copied(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned char* out) noexcept nogil
@cython.locals(value="long long", at=Py_ssize_t)
cdef long long digits(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
cdef int hex_digit(int byte) noexcept nogil
@cython.locals(high=int, low=int)
cdef int hex_pair(const unsigned char* data, Py_ssize_t at) noexcept nogil
@cython.locals(high=int, low=int)
cdef int code_of(const unsigned char* data, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
@cython.locals(byte=int, second=int, more=int)
cdef int is_utf8(const unsigned char* data, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
@cython.locals(value="long long", scale="long long", steps="long long", quarters="long long")
cdef long long rounded_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, long long seconds) noexcept nogil
@cython.locals(whole="long long", rest="long long")
cdef long long nearest(long long value, long long unit) noexcept nogil
@cython.locals(leap=bint, last="long long", era="long long", of_era="long long", of_year="long long", days="long long")
cdef long long seconds_of_date(long long year, long long month, long long day, long long hour, long long minute, long long second) noexcept nogil
@cython.locals(length=Py_ssize_t, sign=int, hours="long long", minutes="long long", ahead="long long")
cdef long long zone_seconds(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(value="long long", missing=Py_ssize_t)
cdef long long fraction_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(length=Py_ssize_t, fraction="long long", ahead="long long", seconds="long long", at=Py_ssize_t, first=Py_ssize_t, point=Py_ssize_t, month=Py_ssize_t, milliseconds="long long", moment="long long", us=bint)
cdef long long time_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int form) noexcept nogil

cdef int is_exact(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, int form) noexcept nogil
@cython.locals(last=Py_ssize_t, value="long long")
cdef long long thousandths(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(point=Py_ssize_t, whole="long long", fraction="long long", further=Py_ssize_t, rest="long long")
cdef long long duration_us(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(dots=int, at=Py_ssize_t)
cdef int is_ipv4(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(at=Py_ssize_t)
cdef int is_mapped(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil

@cython.locals(start=Py_ssize_t, byte=int, code=int, low=int)
cdef Py_ssize_t unescaped(const unsigned char* data, Py_ssize_t at, Py_ssize_t stop, int how, unsigned char* out, Py_ssize_t to) noexcept nogil
cdef Py_ssize_t put(unsigned char* out, int code, Py_ssize_t to) noexcept nogil

@cython.locals(out="unsigned long long[::1]", stops="long long[::1]", pointer="const unsigned char*", count=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t, number=Py_ssize_t, stop=Py_ssize_t)
cpdef object fill_keys(bytes data, object ends, object found, unsigned long long seed)
