"""By QR, read by the phone's camera off the PC's screen, whichever of the two sends (C5, C7)."""

from __future__ import annotations

import base64
from collections.abc import Callable

from playwright.sync_api import Frame, expect
from tests.journeys.person import enter
from tests.journeys.vault_copy.bench import Bench
from tests.journeys.vault_copy.device import Device

# A camera in front of a picture: what `look` was given last, on a desk.
CAMERA = """if (window !== top) {
  const canvas = document.createElement('canvas')
  canvas.width = 640; canvas.height = 480
  const at = canvas.getContext('2d')
  const seen = new Image()
  window.look = (address) => { seen.src = address }
  setInterval(() => {
    at.fillStyle = '#54586c'; at.fillRect(0, 0, 640, 480)
    if (seen.complete && seen.naturalWidth > 0) at.drawImage(seen, 170, 90, 300, 300)
  }, 50)
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20)
}"""
NO_CAMERA = """if (window !== top) navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException('no', 'NotAllowedError') }"""


def frame(at: Device) -> Frame:
    """The vault's frame."""
    return next(one for one in at.page.frames if one.url.startswith(at.bench.vault))


def show(pc: Device, phone: Device) -> None:
    """The phone's camera is pointed at the PC's screen."""
    look(phone, pc.vault.locator(".copy-qr").screenshot())


def look(phone: Device, picture: bytes) -> None:
    """The phone's camera is pointed at a picture."""
    frame(phone).evaluate("(one) => window.look(one)", f"data:image/png;base64,{base64.b64encode(picture).decode()}")


def finish(sender: Device, receiver: Device) -> None:
    """Words, yes, done."""
    assert sender.words == receiver.words
    sender.agree()
    receiver.copied()
    sender.copied()


def test_C5_a_sending_phone_reads_the_receiving_pc(bench: Bench, device: Callable[..., Device]) -> None:
    receiver, sender = device("pc"), device("phone", script=CAMERA)
    receiver.open("receive")
    sender.prove()
    enter(sender.button("copy-scan"))
    expect(receiver.vault.locator(".copy-qr svg")).to_be_visible()
    show(receiver, sender)
    finish(sender, receiver)
    assert receiver.stored()[0]["certificate"] == bench.pair.certificate.hex()


def test_C5_a_receiving_phone_reads_the_sending_pc(bench: Bench, device: Callable[..., Device]) -> None:
    receiver, sender = device("phone", script=CAMERA), device("pc")
    receiver.open("receive")
    sender.prove()
    enter(sender.button("copy-show-qr"))
    expect(sender.vault.locator(".copy-qr svg")).to_be_visible()
    enter(receiver.button("copy-scan-pc"))
    show(sender, receiver)
    finish(sender, receiver)
    assert receiver.stored()[0]["certificate"] == bench.pair.certificate.hex()
    receiver.until(lambda: "copied" in bench.kinds("receive"))
    assert bench.kinds("receive")[-4:] == ["wanted", "paired", "arrived", "copied"]


def test_C5_a_photograph_of_a_qr_that_has_run_out_ends_the_run(bench: Bench, device: Callable[..., Device]) -> None:
    receiver, sender = device("pc"), device("phone", script=CAMERA)
    receiver.page.clock.install()
    receiver.open("receive")
    sender.prove()
    enter(sender.button("copy-scan"))
    expect(receiver.vault.locator(".copy-qr svg")).to_be_visible()
    photograph = receiver.vault.locator(".copy-qr").screenshot()
    receiver.page.clock.fast_forward(121_000)
    expect(receiver.vault.get_by_text(receiver.say("copy-qr-over"))).to_be_visible()
    look(sender, photograph)
    sender.ended("copy-wrong-number")
    receiver.ended("copy-wrong-number")


def test_C5_a_qr_that_is_a_link_is_named_and_not_followed(bench: Bench, device: Callable[..., Device]) -> None:
    phone = device("phone", script=CAMERA)
    phone.open("receive")
    assert len(phone.number) == 12
    enter(phone.button("copy-scan-pc"))
    expect(phone.vault.locator("video")).to_be_visible()
    frame(phone).evaluate("(one) => window.look(one)", LINK)
    expect(phone.vault.get_by_text(phone.say("scan-other"))).to_be_visible()
    phone.until(lambda: "wanted" in bench.kinds("receive"))
    assert [one["mailbox"] for one in bench.told["receive"] if one["kind"] == "wanted"] == [None]
    enter(phone.button("copy-number-instead"))
    assert len(phone.number) == 12


def test_without_a_camera_the_number_is_the_way(bench: Bench, device: Callable[..., Device]) -> None:
    phone = device("phone", script=NO_CAMERA)
    phone.prove()
    enter(phone.button("copy-scan"))
    expect(phone.vault.get_by_text(phone.say("scan-denied"))).to_be_visible()
    enter(phone.button("copy-type-instead"))
    expect(phone.vault.locator("#number-1")).to_be_focused()


def _link() -> str:
    import cv2  # only this test draws a QR of its own

    picture = cv2.QRCodeEncoder.create().encode("https://phishing.example/?number=123456789012")
    big = cv2.copyMakeBorder(cv2.resize(picture, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST), 40, 40, 40, 40,
                             cv2.BORDER_CONSTANT, value=255)  # fmt: skip
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', big)[1].tobytes()).decode()}"


LINK = _link()
