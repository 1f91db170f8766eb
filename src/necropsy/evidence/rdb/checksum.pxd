cimport cython

# Carry-less multiplication, which C has no operator for: where the processor can. Elsewhere can_fold() says no.
cdef extern from *:
    """
    #if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    #include <emmintrin.h>
    #include <wmmintrin.h>
    static inline int can_fold(void) { return __builtin_cpu_supports("pclmul"); }
    __attribute__((target("pclmul"))) static inline __m128i onward(__m128i sum, __m128i by, __m128i next) {
        return _mm_xor_si128(next, _mm_xor_si128(_mm_clmulepi64_si128(sum, by, 0x00), _mm_clmulepi64_si128(sum, by, 0x11)));
    }
    __attribute__((target("pclmul"))) static inline void fold_blocks(
        unsigned long long crc, const unsigned char *data, Py_ssize_t blocks, const unsigned long long *by, unsigned char *out
    ) {
        const __m128i *at = (const __m128i *)data;
        __m128i far = _mm_loadu_si128((const __m128i *)by), near = _mm_loadu_si128((const __m128i *)(by + 2));
        __m128i a = _mm_xor_si128(_mm_loadu_si128(at), _mm_cvtsi64_si128((long long)crc));
        __m128i b = _mm_loadu_si128(at + 1), c = _mm_loadu_si128(at + 2), d = _mm_loadu_si128(at + 3);
        while (--blocks > 0) {
            at += 4;
            a = onward(a, far, _mm_loadu_si128(at));
            b = onward(b, far, _mm_loadu_si128(at + 1));
            c = onward(c, far, _mm_loadu_si128(at + 2));
            d = onward(d, far, _mm_loadu_si128(at + 3));
        }
        _mm_storeu_si128((__m128i *)out, onward(onward(onward(a, near, b), near, c), near, d));
    }
    #else
    static inline int can_fold(void) { return 0; }
    static inline void fold_blocks(
        unsigned long long crc, const unsigned char *data, Py_ssize_t blocks, const unsigned long long *by, unsigned char *out
    ) { (void)crc; (void)data; (void)blocks; (void)by; (void)out; }
    #endif
    """
    int can_fold() noexcept nogil
    void fold_blocks(unsigned long long crc, const unsigned char* data, Py_ssize_t blocks, const unsigned long long* by, unsigned char* out) noexcept nogil

cdef unsigned long long[::1] TABLE
cdef unsigned long long[::1] SHIFT
cdef unsigned long long[::1] ONWARD
cdef Py_ssize_t STRIP, BLOCK
cdef bint FOLDS

@cython.locals(at=Py_ssize_t, table="unsigned long long*", shift="unsigned long long*", blocks=Py_ssize_t, rest="unsigned char[16]")
cdef unsigned long long crc64(unsigned long long crc, const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept
@cython.locals(second="unsigned long long", third="unsigned long long", end=Py_ssize_t)
cdef unsigned long long three_strips(unsigned long long crc, const unsigned char* data, Py_ssize_t at, unsigned long long* table, unsigned long long* shift) noexcept
@cython.locals(value="unsigned long long")
cdef unsigned long long word(const unsigned char* data) noexcept
cdef unsigned long long fold(unsigned long long* table, unsigned long long crc) noexcept
cdef unsigned long long shifted(unsigned long long* shift, unsigned long long crc) noexcept
