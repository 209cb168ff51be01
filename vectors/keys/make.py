"""Makes the RSA test keys of this folder (plain PKCS#8 DER): tests never make RSA keys themselves.

`python vectors/keys/make.py` writes only what is missing. The keys are for tests alone; production refuses them.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = Path(__file__).parent

for bits, count in ((2048, 48), (3072, 6)):
    for number in range(count):
        path = HERE / f"rsa{bits}-{number:02}.p8"
        if not path.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            path.write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
