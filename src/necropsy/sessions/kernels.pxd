cimport cython

@cython.locals(texts="const unsigned char[::1]", offsets="const long long[::1]", answers="long long[::1]", count=Py_ssize_t, size=Py_ssize_t, row=Py_ssize_t, start="long long", at="long long", found=Py_ssize_t, most=Py_ssize_t)
cpdef colons(data, ends, places)
@cython.locals(texts="const unsigned char[::1]", first="const long long[::1]", last="const long long[::1]", said="unsigned char[::1]", wanted="const unsigned char[::1]", count=Py_ssize_t, size=Py_ssize_t, length=Py_ssize_t, row=Py_ssize_t, start="long long")
cpdef begins(data, starts, ends, bytes word, answers)
@cython.locals(texts="const unsigned char[::1]", first="const long long[::1]", last="const long long[::1]", answers="long long[::1]", said="unsigned char[::1]", wanted="const unsigned char[::1]", count=Py_ssize_t, size=Py_ssize_t, length=Py_ssize_t, row=Py_ssize_t, start="long long", at="long long", value="unsigned long long", limit="unsigned long long")
cpdef streamed(data, starts, ends, bytes header, int width, numbers, known)
