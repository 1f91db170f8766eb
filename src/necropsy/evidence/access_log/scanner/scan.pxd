cimport cython
from necropsy.evidence.access_log.scanner.byte_loops cimport prefetch, GET_AT, NO_TIME, WORDS, digits, find, duration_us, first_odd, is_exact, is_ipv4, is_mapped, key_of, same, time_us
from necropsy.evidence.access_log.scanner.path_templates cimport address_key, page_of, referer_key
from necropsy.evidence.access_log.scanner.line_values cimport LONGEST, LineValues

cdef Py_ssize_t SHORTEST, REMEMBERED, PAGE_ROOM
cdef int CLIENT, AGENT, HOST, PAGE, TEXTS, ADDRESS, REFERER, REQUEST, FIELDS, EMPTY, BYTE_ORDER_MARK

cdef class LineScanner(LineValues):
    cdef unsigned long long seed
    cdef int client_is_list, client_is_untidy, time_is_exact, time_form, told
    cdef object header_flags
    cdef Py_ssize_t header_count
    cdef long long[::1] header_slots, header_bytes, header_ends
    cdef unsigned char[::1] headers
    cdef const unsigned char[::1] piece
    cdef Py_ssize_t capacity
    cdef tuple columns
    cdef unsigned char* text_start
    cdef Py_ssize_t start, stop, client_count, host_count
    cdef long long[::1] clients, hosts
    cdef Py_ssize_t time, duration, request, method, target, status, agent, referer
    cdef unsigned long long[::1] seen, page_of_seen
    cdef Py_ssize_t place
    cdef long long[::1] text_begin, text_finish
    cdef const unsigned char* asked_in
    cdef Py_ssize_t method_start, method_stop, target_start, target_stop
    cdef unsigned long long key_of_request
    cdef long long[::1] seen_count
    cdef int[::1] out_line, out_hard, text_ends
    cdef long long[::1] out_us
    cdef short[::1] out_status
    cdef unsigned long long[::1] out_keys, text_keys
    cdef signed char[::1] out_signs
    cdef unsigned char[::1] texts
    cdef Py_ssize_t rows, room, hard_rows, count, hard_count, lines
    cdef long long[::1] text_count, text_bytes
    cdef Py_ssize_t cached_start, cached_stop
    cdef long long cached_us

    cdef tuple kept_header(self, Py_ssize_t number)
    @cython.locals(number=Py_ssize_t, slot=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t)
    cdef int keep_headers(self) except -1 nogil
    cdef int make_room(self, Py_ssize_t size) except -1
    @cython.locals(at=Py_ssize_t, odd=Py_ssize_t, end=Py_ssize_t, stop=Py_ssize_t, base="const unsigned char*")
    cdef int run(self) except -1 nogil
    @cython.locals(moment="long long", took="long long", status="long long", at=Py_ssize_t)
    cdef int row(self, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(length=Py_ssize_t, found="long long")
    cdef long long moment(self, Py_ssize_t start, Py_ssize_t stop) except? -2 nogil
    @cython.locals(method=Py_ssize_t, method_stop=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, key="unsigned long long", start_of_method=Py_ssize_t, byte=int)
    cdef int asked(self) except -1 nogil
    cdef int remember_request(self, const unsigned char* asked, Py_ssize_t method, Py_ssize_t method_stop, Py_ssize_t start, Py_ssize_t stop, unsigned long long key) except -1 nogil
    @cython.locals(place="unsigned long long")
    cdef int fetch(self, int field, unsigned long long key) except -1 nogil
    @cython.locals(key="unsigned long long")
    cdef int text_key(self, int field, Py_ssize_t start, Py_ssize_t stop) except -1 nogil
    @cython.locals(start=Py_ssize_t, stop=Py_ssize_t, method=Py_ssize_t, method_stop=Py_ssize_t, host=Py_ssize_t, host_stop=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, i=Py_ssize_t, place=Py_ssize_t, key="unsigned long long")
    cdef int page(self, bint redirects) except -1 nogil
    cdef int user_agent(self) except -1 nogil
    @cython.locals(start=Py_ssize_t, stop=Py_ssize_t, key="unsigned long long")
    cdef int refers(self) except -1 nogil
    @cython.locals(many=Py_ssize_t, number=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t, slot=Py_ssize_t, colon=Py_ssize_t)
    cdef int first_given(self, int field) except -1 nogil
    @cython.locals(key="unsigned long long", at=Py_ssize_t, i=Py_ssize_t, start=Py_ssize_t, stop=Py_ssize_t)
    cdef int give(self, int field) except -1 nogil
    @cython.locals(place=Py_ssize_t)
    cdef int note(self, int field, unsigned long long key, Py_ssize_t length) except -1 nogil
    @cython.locals(begin=Py_ssize_t, mask="unsigned long long", place="unsigned long long", there="unsigned long long", i=Py_ssize_t)
    cdef int is_new(self, int field, unsigned long long key) except -1 nogil
