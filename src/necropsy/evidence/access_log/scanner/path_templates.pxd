cimport cython
from necropsy.evidence.access_log.scanner.byte_loops cimport find, key_of, same

cdef const unsigned char* KINDS
cdef const unsigned char* METHOD_WORDS
cdef Py_ssize_t METHOD_BYTES, ROOM
cdef int OTHER, SEPARATOR, DIGIT, HEXADECIMAL, LETTER, DEPTH, LONGEST_SEGMENT, LONGEST_WORD, SHORTEST_HASH

cdef int kind(unsigned char byte) noexcept nogil
@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cdef bint is_method(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(at=Py_ssize_t, group=int, digits=int, last=Py_ssize_t)
cdef Py_ssize_t uuid_end(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
@cython.locals(at=Py_ssize_t, first=Py_ssize_t, hexadecimal=int)
cdef bint is_words(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
cdef Py_ssize_t star(unsigned char* out, Py_ssize_t begin, Py_ssize_t at) noexcept nogil
@cython.locals(at=Py_ssize_t, end=Py_ssize_t, numbered=bint, further=Py_ssize_t, begin=Py_ssize_t)
cdef Py_ssize_t fold_segment(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned char* out, Py_ssize_t to) noexcept nogil
@cython.locals(at=Py_ssize_t, end=Py_ssize_t, segments=int, slash=Py_ssize_t)
cdef Py_ssize_t fold_target(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned char* out, Py_ssize_t to) noexcept nogil
@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t after_authority(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
cdef Py_ssize_t page_of(const unsigned char* asked, Py_ssize_t method, Py_ssize_t method_stop, const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned char* out, Py_ssize_t to) noexcept nogil
@cython.locals(slash=Py_ssize_t)
cdef unsigned long long address_key(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned long long seed) noexcept nogil
cdef unsigned long long referer_key(const unsigned char* data, Py_ssize_t start, Py_ssize_t stop, unsigned long long seed) noexcept nogil

@cython.locals(stops="long long[::1]", ends="long long[::1]", pages="unsigned char[::1]", pointer="const unsigned char*", folded="unsigned char*", count=Py_ssize_t, size=Py_ssize_t, room=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, to=Py_ssize_t, number=Py_ssize_t, word=Py_ssize_t, target=Py_ssize_t)
cpdef tuple fold_requests(bytes data, object request_ends)
@cython.locals(stops="long long[::1]", out="unsigned long long[::1]", pointer="const unsigned char*", count=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, number=Py_ssize_t)
cpdef object fill_address_keys(bytes data, object ends, object found, unsigned long long seed, bint of_referers)
