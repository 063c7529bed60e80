"""All kinds of identifier by name: the one place that knows what there is."""

from __future__ import annotations

from types import MappingProxyType

from exchange.model.identifiers import (
    account,
    ad,
    autonomous_system,
    cookie,
    device,
    domain,
    email,
    file_hash,
    handle,
    hashtag,
    image_hash,
    ip,
    page,
    payment,
    phone,
    prompt,
    text_fingerprint,
    url,
    wallet,
)

KINDS = MappingProxyType({
    kind.name: kind
    for kind in (
        domain.KIND, url.KIND, email.KIND, email.DOMAIN_OF_EMAIL, phone.KIND,
        account.KIND, handle.KIND, page.PAGE, page.GROUP, page.CHANNEL, ad.KIND,
        ip.IPV4, ip.IPV6, ip.IPV4_RANGE, ip.IPV6_RANGE, autonomous_system.KIND,
        payment.CARD, payment.IBAN, wallet.KIND, device.DEVICE, device.BROWSER, cookie.KIND,
        file_hash.MD5, file_hash.SHA1, file_hash.SHA256, file_hash.SHA512,
        image_hash.KIND, text_fingerprint.KIND, hashtag.KIND, prompt.KIND,
    )
})  # fmt: skip
"""Name to kind, in the order in which they are shown."""
