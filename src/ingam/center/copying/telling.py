"""What the person is told of a copy at the registered contact: that it begins, and that it is done (security C3).

The first leaves when both ends may meet, since from then on only the receiver knows what it has; whether it says so or
not, the person has heard. Both speak the language of whoever sent.
"""

from __future__ import annotations

from ingam.center.copying.devices import device_text
from ingam.center.copying.states import Arrived, Sender
from ingam.center.copying.walks import Walk
from ingam.customer.binding.bindings import Bindings
from ingam.customer.notice import Notices
from ingam.ports.store import Outgoing


class Telling:
    """The notices of a copy, to save with its step. `mails`: whether notices leave by e-mail as well."""

    def __init__(self, notices: Notices, bindings: Bindings, *, mails: bool) -> None:
        self._notices = notices
        self._bindings = bindings
        self._mails = mails

    def begun(self, walk: Walk, sender: Sender) -> list[Outgoing]:
        """Both ends may meet. Once for each announcement, however many numbers it takes."""
        return self._notices.copy_begun(
            walk.customer,
            lang=sender.lang,
            device=device_text(walk.receiver.device, sender.lang),
            at=walk.now,
            dedup=f"copy-begun:{walk.receiver.id}",
            mails=self._mails,
        )

    async def copied(self, walk: Walk, state: Arrived) -> list[Outgoing]:
        """The receiver has stored it."""
        lang = state.sender.lang
        ever = await self._bindings.history(walk.customer.customer_id)  # it may have been replaced in these seconds
        details = await self._bindings.details(next(one for one in ever if one.fingerprint == state.fingerprint))
        return self._notices.copied(
            walk.customer,
            lang=lang,
            use=details.use_ko if lang == "ko" else details.use_en,
            device=device_text(state.receiver.device, lang),
            at=walk.now,
            dedup=f"copied:{state.receiver.id}",
            mails=self._mails,
        )
