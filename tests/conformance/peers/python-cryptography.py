"""pkcs7_decrypt_der, file by file."""

import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs7
from cryptography.x509 import load_pem_x509_certificate

for line in sys.stdin:
    message, identity, out = map(pathlib.Path, line.rstrip("\n").split("\t"))
    try:
        key = load_pem_private_key((identity / "key.pem").read_bytes(), None)
        certificate = load_pem_x509_certificate((identity / "cert.pem").read_bytes())
        plaintext = pkcs7.pkcs7_decrypt_der(message.read_bytes(), certificate, key, [])
        out.write_bytes(plaintext)
        print("OK", flush=True)
    # A panic of its Rust half is no Exception.
    except BaseException as error:
        print("refused:", type(error).__name__, str(error).replace("\n", " "), flush=True)
