"""Prints the TR39 skeleton of each line of stdin, as ICU makes it: an oracle for the tests of look-alikes."""

import ctypes
import ctypes.util
import re
import sys

icu = ctypes.CDLL(ctypes.util.find_library("icui18n"))
version = re.search(r"icui18n\.so\.(\d+)", icu._name).group(1)
opening = getattr(icu, f"uspoof_open_{version}")
opening.restype = ctypes.c_void_p
checker = ctypes.c_void_p(opening(ctypes.byref(ctypes.c_int(0))))
get_skeleton = getattr(icu, f"uspoof_getSkeletonUTF8_{version}")

for line in sys.stdin.buffer.read().decode().splitlines():
    octets = line.encode()
    result = ctypes.create_string_buffer(8192)
    length = get_skeleton(checker, 0, octets, len(octets), result, 8192, ctypes.byref(ctypes.c_int(0)))
    print(result.raw[:length].decode())
