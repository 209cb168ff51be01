"""The VID of a certificate from R, which the request brought encrypted, and the number, which the RA registered.

R and the number live in this one function (security D7, H2). Whatever is wrong with an EncryptedVID (padding, form,
VID, R), the same steps are walked and the same refusal is given (security D6).
"""

from __future__ import annotations

from ingam.ca.office import Office, Opener
from ingam.ca.profiles import Profile
from ingam.kernel.secret import Secret
from ingam.npki.vid import compute_vid
from ingam.protocols.cmp import encrypted_vid


def vid_of(office: Office, profile: Profile, idn: Secret[str], encrypted: bytes | None) -> bytes | None:
    """32 bytes, or None for a profile without identification. `encrypted`: DER EncryptedVID of the request's regInfo.

    Blocks for an RSA decryption. Raises CmpRefused (cmp-request, badRequest), SigningOutage.
    """
    if not profile.identified:
        return None
    if encrypted is None:
        raise encrypted_vid.refused()
    given = encrypted_vid.read(encrypted)
    opener = _opener(office, given)
    plain = opener.key.decrypt(given.ciphertext, oaep=given.oaep)
    opened = encrypted_vid.open_content(plain, office.random(encrypted_vid.RANDOM_OCTETS))
    agrees = encrypted_vid.agrees(opened, (encrypted_vid.DUMMY_IDN, idn.reveal()))
    vid = compute_vid(idn.reveal(), opened.random.reveal())
    if not agrees:
        raise encrypted_vid.refused()
    return vid


def _opener(office: Office, given: encrypted_vid.EncryptedVid) -> Opener:
    """The encryption certificate that the client used: of any generation that is in force."""
    for one in office.openers:
        if one.certificate.serial == given.serial_number and one.certificate.issuer.raw == given.issuer:
            return one
    raise encrypted_vid.refused()
