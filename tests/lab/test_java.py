"""The streams are those that a real JVM (OpenJDK 17) wrote for the same objects, with classes of the same shape."""

from __future__ import annotations

from base64 import b64decode

import pytest

from necropsy.lab import java
from necropsy.lab.spring_security import saved_request, security_context

SESSION = "00000000-0000-4000-8000-000000000001"

LONG = (
    "rO0ABXNyAA5qYXZhLmxhbmcuTG9uZzuL5JDMjyPfAgABSgAFdmFsdWV4cgAQamF2YS5sYW5nLk51bWJlcoaslR0LlOCLAgAAeHAAAAFq6zbT+w=="
)
INTEGER = "rO0ABXNyABFqYXZhLmxhbmcuSW50ZWdlchLioKT3gYc4AgABSQAFdmFsdWV4cgAQamF2YS5sYW5nLk51bWJlcoaslR0LlOCLAgAAeHAAAVGA"
STRING = "rO0ABXQALGV4cGlyZXM6MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAx"
CONTEXT = """
rO0ABXNyAD1vcmcuc3ByaW5nZnJhbWV3b3JrLnNlY3VyaXR5LmNvcmUuY29udGV4dC5TZWN1cml0eUNvbnRleHRJbXBsAAAAAAAAAf4CAAFMAA5hdXRo
ZW50aWNhdGlvbnQAMkxvcmcvc3ByaW5nZnJhbWV3b3JrL3NlY3VyaXR5L2NvcmUvQXV0aGVudGljYXRpb247eHBzcgBPb3JnLnNwcmluZ2ZyYW1ld29y
ay5zZWN1cml0eS5hdXRoZW50aWNhdGlvbi5Vc2VybmFtZVBhc3N3b3JkQXV0aGVudGljYXRpb25Ub2tlbgAAAAAAAAH+AgACTAALY3JlZGVudGlhbHN0
ABJMamF2YS9sYW5nL09iamVjdDtMAAlwcmluY2lwYWxxAH4ABHhyAEdvcmcuc3ByaW5nZnJhbWV3b3JrLnNlY3VyaXR5LmF1dGhlbnRpY2F0aW9uLkFi
c3RyYWN0QXV0aGVudGljYXRpb25Ub2tlbtOqKH5uR2QOAgADWgANYXV0aGVudGljYXRlZEwAC2F1dGhvcml0aWVzdAAWTGphdmEvdXRpbC9Db2xsZWN0
aW9uO0wAB2RldGFpbHNxAH4ABHhwAXNyACZqYXZhLnV0aWwuQ29sbGVjdGlvbnMkVW5tb2RpZmlhYmxlTGlzdPwPJTG17I4QAgABTAAEbGlzdHQAEExq
YXZhL3V0aWwvTGlzdDt4cgAsamF2YS51dGlsLkNvbGxlY3Rpb25zJFVubW9kaWZpYWJsZUNvbGxlY3Rpb24ZQgCAy173HgIAAUwAAWNxAH4ABnhwc3IA
E2phdmEudXRpbC5BcnJheUxpc3R4gdIdmcdhnQMAAUkABHNpemV4cAAAAAF3BAAAAAFzcgBCb3JnLnNwcmluZ2ZyYW1ld29yay5zZWN1cml0eS5jb3Jl
LmF1dGhvcml0eS5TaW1wbGVHcmFudGVkQXV0aG9yaXR5AAAAAAAAAf4CAAFMAARyb2xldAASTGphdmEvbGFuZy9TdHJpbmc7eHB0AApST0xFX1NUQUZG
eHEAfgANc3IASG9yZy5zcHJpbmdmcmFtZXdvcmsuc2VjdXJpdHkud2ViLmF1dGhlbnRpY2F0aW9uLldlYkF1dGhlbnRpY2F0aW9uRGV0YWlscwAAAAAA
AAH+AgACTAANcmVtb3RlQWRkcmVzc3EAfgAPTAAJc2Vzc2lvbklkcQB+AA94cHQACTEwLjIwLjAuN3QAJDAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAw
MDAwMDAwMDAwMXBzcgAyb3JnLnNwcmluZ2ZyYW1ld29yay5zZWN1cml0eS5jb3JlLnVzZXJkZXRhaWxzLlVzZXIAAAAAAAAB/gIAB1oAEWFjY291bnRO
b25FeHBpcmVkWgAQYWNjb3VudE5vbkxvY2tlZFoAFWNyZWRlbnRpYWxzTm9uRXhwaXJlZFoAB2VuYWJsZWRMAAthdXRob3JpdGllc3QAD0xqYXZhL3V0
aWwvU2V0O0wACHBhc3N3b3JkcQB+AA9MAAh1c2VybmFtZXEAfgAPeHABAQEBc3IAJWphdmEudXRpbC5Db2xsZWN0aW9ucyRVbm1vZGlmaWFibGVTZXSA
HZLRj5uAVQIAAHhxAH4ACnNyABFqYXZhLnV0aWwuVHJlZVNldN2YUJOV7YdbAwAAeHBzcgBGb3JnLnNwcmluZ2ZyYW1ld29yay5zZWN1cml0eS5jb3Jl
LnVzZXJkZXRhaWxzLlVzZXIkQXV0aG9yaXR5Q29tcGFyYXRvcgAAAAAAAAH+AgAAeHB3BAAAAAFxAH4AEHhwdAAicHJpbmNpcGFsLWFubmEua2VsbGVy
QGNvcnAuZXhhbXBsZQ==
"""
SAVED_REQUEST = """
rO0ABXNyAEFvcmcuc3ByaW5nZnJhbWV3b3JrLnNlY3VyaXR5LndlYi5zYXZlZHJlcXVlc3QuRGVmYXVsdFNhdmVkUmVxdWVzdB5ASET5NmSUAgAOSQAK
c2VydmVyUG9ydEwAC2NvbnRleHRQYXRodAASTGphdmEvbGFuZy9TdHJpbmc7TAAHY29va2llc3QAFUxqYXZhL3V0aWwvQXJyYXlMaXN0O0wAB2hlYWRl
cnN0AA9MamF2YS91dGlsL01hcDtMAAdsb2NhbGVzcQB+AAJMAAZtZXRob2RxAH4AAUwACnBhcmFtZXRlcnNxAH4AA0wACHBhdGhJbmZvcQB+AAFMAAtx
dWVyeVN0cmluZ3EAfgABTAAKcmVxdWVzdFVSSXEAfgABTAAKcmVxdWVzdFVSTHEAfgABTAAGc2NoZW1lcQB+AAFMAApzZXJ2ZXJOYW1lcQB+AAFMAAtz
ZXJ2bGV0UGF0aHEAfgABeHAAAB+QdAAAc3IAE2phdmEudXRpbC5BcnJheUxpc3R4gdIdmcdhnQMAAUkABHNpemV4cAAAAAB3BAAAAAB4c3IAEWphdmEu
dXRpbC5UcmVlTWFwDMH2Pi0lauYDAAFMAApjb21wYXJhdG9ydAAWTGphdmEvdXRpbC9Db21wYXJhdG9yO3hwc3IAKmphdmEubGFuZy5TdHJpbmckQ2Fz
ZUluc2Vuc2l0aXZlQ29tcGFyYXRvcncDXH1cUOXOAgAAeHB3BAAAAAR0AA9hY2NlcHQtZW5jb2RpbmdzcQB+AAYAAAABdwQAAAABdAAEZ3ppcHh0AApj
b25uZWN0aW9uc3EAfgAGAAAAAXcEAAAAAXQABWNsb3NleHQABGhvc3RzcQB+AAYAAAABdwQAAAABdAARMTcyLjEyLjEuMTg5OjgwODB4dAAKdXNlci1h
Z2VudHNxAH4ABgAAAAF3BAAAAAF0AA9rdWJlLXByb2JlLzEuMTR4eHNxAH4ABgAAAAF3BAAAAAFzcgAQamF2YS51dGlsLkxvY2FsZX74EWCcMPnsAwAG
SQAIaGFzaGNvZGVMAAdjb3VudHJ5cQB+AAFMAApleHRlbnNpb25zcQB+AAFMAAhsYW5ndWFnZXEAfgABTAAGc2NyaXB0cQB+AAFMAAd2YXJpYW50cQB+
AAF4cP////9xAH4ABXEAfgAFdAACZW5xAH4ABXEAfgAFeHh0AANHRVRzcQB+AAhwdwQAAAAAeHBwdAABL3QAGWh0dHA6Ly8xNzIuMTIuMS4xODk6ODA4
MC90AARodHRwdAAMMTcyLjEyLjEuMTg5dAABLw==
"""


def test_a_long_is_82_bytes_as_a_jvm_writes_it() -> None:
    assert java.long(1558724400123) == b64decode(LONG)
    assert len(java.long(0)) == 82


def test_an_integer_is_81_bytes_as_a_jvm_writes_it() -> None:
    assert java.integer(86_400) == b64decode(INTEGER)
    assert len(java.integer(2_147_483_647)) == 81


def test_a_string_is_seven_bytes_and_its_text() -> None:
    assert java.string(f"expires:{SESSION}") == b64decode(STRING)


def test_a_security_context_is_byte_for_byte_what_a_jvm_writes() -> None:
    written = security_context("principal-anna.keller@corp.example", "ROLE_STAFF", "10.20.0.7", SESSION)
    assert written == b64decode(CONTEXT)


def test_a_saved_request_is_byte_for_byte_what_a_jvm_writes() -> None:
    headers = {
        "host": "172.12.1.189:8080",
        "user-agent": "kube-probe/1.14",
        "accept-encoding": "gzip",
        "connection": "close",
    }
    assert saved_request("172.12.1.189", 8080, "/", headers) == b64decode(SAVED_REQUEST)


def test_what_is_no_java_value_is_refused() -> None:
    with pytest.raises(TypeError, match="no Java value: float"):
        java.serialize(1.5)
