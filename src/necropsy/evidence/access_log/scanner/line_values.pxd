cimport cython
from necropsy.evidence.access_log.scanner.byte_loops cimport AS_IT_IS, FALSE_AT, JSON, NULL_AT, PERCENT, PLUS, TRUE_AT, WORDS, code_of, copied, digits, find, first_odd, is_utf8, same, unescaped, word_end

cdef int WORD, QUOTED, BRACKETED, SEPARATED, SINGLE, DEEPEST
cdef Py_ssize_t SLOTS, LONGEST

cdef class LineValues:
    cdef int is_text, is_open, has_tabs, has_backslash, always_mended, to_mend, text_escaped, brackets
    cdef object kept, literal_text
    cdef const unsigned char* names
    cdef const unsigned char* literals
    cdef const unsigned char* data
    cdef unsigned char[::1] mended
    cdef unsigned char* mended_start
    cdef Py_ssize_t own_count, body
    cdef long long stamp
    cdef Py_ssize_t slots, head_length, value_count
    cdef long long[::1] name_at, of_length, node_end, entry_slot, entry_node, element, met
    cdef long long[::1] value_slot, value_kind, literal_at
    cdef long long[::1] begin, finish, quoted, escape, is_header, own_slots, own_flags

    cdef object tree(self, object ways)
    @cython.locals(at=Py_ssize_t, beyond=int, byte=int)
    cdef int readable(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(slot=Py_ssize_t, at=Py_ssize_t)
    cdef int find_values(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(at=Py_ssize_t, number=Py_ssize_t, first=Py_ssize_t, length=Py_ssize_t, end=Py_ssize_t, kind=int, slot=Py_ssize_t)
    cdef int text(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    cdef Py_ssize_t blanks(self, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
    @cython.locals(end=Py_ssize_t, entry=Py_ssize_t)
    cdef Py_ssize_t members(self, Py_ssize_t at, Py_ssize_t stop, Py_ssize_t node) except? -2 nogil
    @cython.locals(entry=Py_ssize_t)
    cdef Py_ssize_t items(self, Py_ssize_t at, Py_ssize_t stop, Py_ssize_t node) except? -2 nogil
    @cython.locals(slot=Py_ssize_t, node=Py_ssize_t, byte=int, end=Py_ssize_t)
    cdef Py_ssize_t value(self, Py_ssize_t at, Py_ssize_t stop, Py_ssize_t entry) except? -2 nogil
    cdef int keep(self, Py_ssize_t slot, Py_ssize_t start, Py_ssize_t stop, int quoted) except -1 nogil
    @cython.locals(byte=int)
    cdef Py_ssize_t text_end(self, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
    @cython.locals(start=Py_ssize_t)
    cdef Py_ssize_t header(self, Py_ssize_t at, Py_ssize_t stop, Py_ssize_t slot) except? -2 nogil
    @cython.locals(length=Py_ssize_t, entry=Py_ssize_t, first=Py_ssize_t)
    cdef Py_ssize_t entry_of(self, Py_ssize_t node, Py_ssize_t start, Py_ssize_t stop) except? -2 nogil
    @cython.locals(length=Py_ssize_t, point=Py_ssize_t, whole="long long")
    cdef int bare(self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t slot, Py_ssize_t node) except -1 nogil
    @cython.locals(first=Py_ssize_t)
    cdef int number(self, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
    cdef Py_ssize_t digits_end(self, Py_ssize_t at, Py_ssize_t stop) noexcept nogil
    @cython.locals(at=Py_ssize_t, slot=Py_ssize_t, first=Py_ssize_t, last=Py_ssize_t)
    cdef int mend(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(number=Py_ssize_t, slot=Py_ssize_t, start=Py_ssize_t, length=Py_ssize_t, flags=int)
    cdef int own_cookies(self) except -1 nogil
    @cython.locals(byte=cython.uchar)
    cdef int has_no_body(self) except -1 nogil
