cimport cython

cdef unsigned long long[::1] TABLE
cdef unsigned long long[::1] SHIFT
cdef Py_ssize_t STRIP

@cython.locals(at=Py_ssize_t, table="unsigned long long*", shift="unsigned long long*")
cdef unsigned long long crc64(unsigned long long crc, const unsigned char* data, Py_ssize_t start, Py_ssize_t stop) noexcept
@cython.locals(second="unsigned long long", third="unsigned long long", end=Py_ssize_t)
cdef unsigned long long three_strips(unsigned long long crc, const unsigned char* data, Py_ssize_t at, unsigned long long* table, unsigned long long* shift) noexcept
@cython.locals(value="unsigned long long")
cdef unsigned long long word(const unsigned char* data) noexcept
cdef unsigned long long fold(unsigned long long* table, unsigned long long crc) noexcept
cdef unsigned long long shifted(unsigned long long* shift, unsigned long long crc) noexcept
