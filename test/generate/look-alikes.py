"""Writes src/jid/look-alikes.generated.ts from the confusables of Unicode TR39 as ICU knows them.

    python3 test/generate/look-alikes.py

Kept is what an address in enforced form can hold (RFC 7622: lower case, without compatibility forms) outside ASCII and
looks like lower-case letters and digits of ASCII.
"""

import ctypes
import ctypes.util
import pathlib
import re
import unicodedata

icu = ctypes.CDLL(ctypes.util.find_library("icui18n"))
version = re.search(r"icui18n\.so\.(\d+)", icu._name).group(1)
failure = ctypes.c_int(0)
opening = getattr(icu, f"uspoof_open_{version}")
opening.restype = ctypes.c_void_p
checker = ctypes.c_void_p(opening(ctypes.byref(failure)))
get_skeleton = getattr(icu, f"uspoof_getSkeletonUTF8_{version}")


def skeleton(text):
    octets = text.encode()
    result = ctypes.create_string_buffer(512)
    length = get_skeleton(checker, 0, octets, len(octets), result, 512, ctypes.byref(ctypes.c_int(0)))
    return result.raw[:length].decode()



def unicode_version():
    parts = (ctypes.c_uint8 * 4)()
    library = ctypes.CDLL(ctypes.util.find_library("icuuc"))
    getattr(library, f"u_getUnicodeVersion_{version}")(parts)
    return f"{parts[0]}.{parts[1]}"


pairs = []
for code_point in range(0x80, 0x10000):
    character = chr(code_point)
    if unicodedata.category(character) not in ("Ll", "Lo", "Nd", "Lm"):
        continue
    if unicodedata.normalize("NFKC", character) != character or character.lower() != character:
        continue
    # A capital O is as round as a small one; no other capital stands in an address.
    shape = skeleton(character).replace("O", "o")
    if re.fullmatch("[a-z0-9]+", shape):
        pairs.append(f"\\u{code_point:04x}{shape}")

root = pathlib.Path(__file__).parents[2]
(root / "src/jid/look-alikes.generated.ts").write_text(
    f"""/**
 * Confusables of Unicode TR39 as of Unicode {unicode_version()} that an address can hold: a character, and the ASCII
 * letters or digits that it looks like. Written by test/generate/look-alikes.py.
 */

// prettier-ignore
export const lookAlikePairs = '{''.join(pairs)}';
""",
    encoding="utf-8",
)
