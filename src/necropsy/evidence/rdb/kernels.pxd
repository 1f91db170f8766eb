cimport cython

cdef unsigned long long[::1] TABLE

@cython.locals(table="unsigned long long[::1]", crc="unsigned long long", low="unsigned long long", at=Py_ssize_t)
cpdef unsigned long long crc64(unsigned long long crc, const unsigned char[::1] data, Py_ssize_t start, Py_ssize_t stop) except? 0

@cython.locals(at=Py_ssize_t, to=Py_ssize_t, end=Py_ssize_t, control=Py_ssize_t, length=Py_ssize_t, back=Py_ssize_t)
cpdef Py_ssize_t expand(const unsigned char[::1] data, Py_ssize_t start, Py_ssize_t stop, unsigned char[::1] out, Py_ssize_t limit) except -1

@cython.locals(i=Py_ssize_t)
cpdef int copy(const unsigned char[::1] data, Py_ssize_t start, unsigned char[::1] out, Py_ssize_t at, Py_ssize_t count) except -1

@cython.locals(i=Py_ssize_t)
cpdef bint same(const unsigned char[::1] one, Py_ssize_t start, const unsigned char[::1] other, Py_ssize_t at, Py_ssize_t count) except? False

@cython.locals(value="unsigned long long", i=Py_ssize_t)
cpdef long long little(const unsigned char[::1] data, Py_ssize_t at, Py_ssize_t width) except? -1

@cython.locals(value="unsigned long long", i=Py_ssize_t)
cpdef long long big(const unsigned char[::1] data, Py_ssize_t at, Py_ssize_t width) except? -1

@cython.locals(rest="unsigned long long", at=Py_ssize_t, length=Py_ssize_t, i=Py_ssize_t, end=Py_ssize_t, digit=cython.uchar)
cpdef Py_ssize_t decimal(long long value, unsigned char[::1] out) except -1
