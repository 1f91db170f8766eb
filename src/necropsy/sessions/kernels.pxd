cimport cython

cdef extern from *:
    """
    #if defined(__SSE2__) && (defined(__GNUC__) || defined(__clang__))
    #include <emmintrin.h>
    #define NECROPSY_SSE2 1
    #endif
    /* Write down where colons are, from the end on, each a step behind the one before; return how many were found. */
    static inline int necropsy_colons(const unsigned char *data, long long start, long long at, long long *places, Py_ssize_t step, int most) {
        int found = 0;
    #ifdef NECROPSY_SSE2
        const __m128i colon = _mm_set1_epi8(58);
        while (at - start >= 16 && found < most) {
            unsigned there = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(data + at - 16)), colon));
            while (there && found < most) {
                int last = 31 - __builtin_clz(there);
                places[step * found++] = at - 16 + last;
                there ^= 1u << last;
            }
            at -= 16;
        }
    #endif
        while (at > start && found < most) {
            at--;
            if (data[at] == 58) places[step * found++] = at;
        }
        return found;
    }
    """
    int last_colons "necropsy_colons"(const unsigned char* data, long long start, long long at, long long* places, Py_ssize_t step, int most) noexcept nogil

@cython.locals(place="long long*", texts="const unsigned char[::1]", offsets="const long long[::1]", answers="long long[::1]", count=Py_ssize_t, size=Py_ssize_t, row=Py_ssize_t, start="long long", at="long long", found=Py_ssize_t, most=Py_ssize_t)
cpdef colons(data, ends, places)
@cython.locals(texts="const unsigned char[::1]", first="const long long[::1]", last="const long long[::1]", said="unsigned char[::1]", wanted="const unsigned char[::1]", count=Py_ssize_t, size=Py_ssize_t, length=Py_ssize_t, row=Py_ssize_t, start="long long")
cpdef begins(data, starts, ends, bytes word, answers)
@cython.locals(texts="const unsigned char[::1]", first="const long long[::1]", last="const long long[::1]", answers="long long[::1]", said="unsigned char[::1]", wanted="const unsigned char[::1]", count=Py_ssize_t, size=Py_ssize_t, length=Py_ssize_t, row=Py_ssize_t, start="long long", at="long long", value="unsigned long long", limit="unsigned long long")
cpdef streamed(data, starts, ends, bytes header, int width, numbers, known)
