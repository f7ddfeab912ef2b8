"""The STUN and TURN servers a user may use. TURN's credentials are made for each user and expire."""

import base64
import hashlib
import hmac
import time

from django.conf import settings


def servers_for(user: str) -> list[dict[str, object]]:
    """What RTCPeerConnection takes as `iceServers`.

    The TURN credential is the one of TURN's REST scheme (draft-uberti-behave-turn-rest-00), which coturn checks with
    `use-auth-secret`: the user name is `expiry:userId`, the password its HMAC-SHA1 under the shared secret, in base64.
    """
    servers: list[dict[str, object]] = []
    if settings.STUN_URLS:
        servers.append({"urls": settings.STUN_URLS})
    if settings.TURN_URLS:
        username = f"{int(time.time() + settings.TURN_TTL.total_seconds())}:{user}"
        digest = hmac.digest(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1)
        credential = base64.b64encode(digest).decode()
        servers.append({"urls": settings.TURN_URLS, "username": username, "credential": credential})
    return servers
