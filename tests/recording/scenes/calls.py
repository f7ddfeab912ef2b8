"""Random calls: how they begin, how they end, and what is refused."""

from tests.recording.client import Client
from tests.recording.scenes.steps import ANSWER, AVAILABLE, CANDIDATE, OFFER, REQUEST, UNAVAILABLE, goodbye, meet
from tests.recording.stage import Stage


async def calls(stage: Stage) -> None:
    stage.heading("A random call")
    host = stage.lenient
    vera = await host.enters("vera", path="/ws/matchmaking")
    vito = await host.enters("vito")
    await vera.sends(REQUEST)
    await vera.sends('{"type": "request_random_peer", "messageId": "v-1", "payload": {"currentPeerId": null}}')
    await vera.sends(UNAVAILABLE)
    await vito.sends('{"type": "request_random_peer", "payload": {"currentPeerId": ""}}')
    await vera.sends(REQUEST)
    await vera.sends(REQUEST)
    await vito.sends(REQUEST)
    await vera.sends(OFFER % "vito")
    await vito.sends(ANSWER % "vera")
    await vito.sends(CANDIDATE % "vera")
    await vera.sends(
        '{"type": "webrtc_candidate", "toUser": "vito", "messageId": "v-2", "payload": { "candidate":null }}'
    )
    await vera.sends(
        '{"type": "webrtc_candidate", "toUser": "vito", "payload": {"candidate": {"candidate": "", "a":1}}}'
    )
    await vera.sends('{"type": "webrtc_candidate", "toUser": "vito"}')
    await vera.sends(
        '{"type": "webrtc_offer", "toUser": "vito", "messageId": "v-3", "fromUser": "x", "incoming": true}'
    )
    await vera.sends(f'{{"type": "webrtc_offer", "toUser": "vito", "payload": {{"sdp": "{"x" * 32768}"}}}}')
    await vito.sends(f'{{"type": "webrtc_candidate", "toUser": "vera", "payload": {{"candidate": "{"x" * 4096}"}}}}')
    await vera.sends('{"type": "hangup", "toUser": "vito"}')
    await vera.sends('{"type": "hangup", "toUser": "vito", "messageId": "v-4"}')

    await meet(vito, vera)
    await vito.sends('{"type": "hangup", "toUser": "vera", "messageId": "v-5", "payload": {"why":  "bored"}}')
    await goodbye(vera, vito)


async def ends_of_calls(stage: Stage) -> None:
    stage.heading("A call is skipped")
    host = stage.lenient
    wim = await host.enters("wim")
    wes = await host.enters("wes", path="/ws/matchmaking")
    await meet(wim, wes)
    await wim.sends('{"type": "request_random_peer", "payload": {"currentPeerId": "somebody-else"}}')
    await wim.sends('{"type": "request_random_peer", "payload": {"currentPeerId": "wes"}}')
    await wes.sends(REQUEST)
    await wes.sends(AVAILABLE)
    await wim.sends(REQUEST)
    await wim.sends(UNAVAILABLE)
    await wim.sends(OFFER % "wes")

    stage.heading("The peer is gone")
    await wim.closes()
    await wes.hears()

    stage.heading("The peer loses the connection and comes back")
    wim = await host.enters("wim")
    await meet(wim, wes)
    await wim.drops()
    wim = await host.enters("wim")
    await wim.sends(REQUEST)
    await wim.sends(OFFER % "wes")
    await wes.sends(ANSWER % "wim")
    await wes.sends('{"type": "hangup", "toUser": "wim"}')
    await goodbye(wim, wes)


async def refused_signals(stage: Stage) -> None:
    stage.heading("Signals that are refused")
    host = stage.lenient
    xena = await host.enters("xena")
    xeno = await host.enters("xeno")
    xara = await host.enters("xara", path="/ws/matchmaking")
    await meet(xena, xeno)
    too_long, too_long_still = "x" * 32769, "ü" * 16385
    for frame in [
        '{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-1", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_answer", "toUser": "absent", "messageId": "x-2", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_candidate", "toUser": "xara", "messageId": "x-3", "payload": {"candidate": ""}}',
        '{"type": "hangup", "toUser": "xena", "messageId": "x-4"}',
        '{"type": "webrtc_offer", "messageId": "x-5", "payload": {"sdp": "v=0"}}',
        '{"type": "webrtc_candidate", "messageId": "x-6"}',
        '{"type": "hangup", "messageId": "x-7"}',
        '{"type": "hangup", "room": "attic", "toUser": "not a user", "messageId": "x-8"}',
        '{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-9", "payload": {"sdp": 1}}',
        f'{{"type": "webrtc_offer", "toUser": "xena", "messageId": "x-10", "payload": {{"sdp": "{too_long}"}}}}',
        f'{{"type": "webrtc_answer", "toUser": "xena", "messageId": "x-11", "payload": {{"sdp": "{too_long_still}"}}}}',
        f'{{"type": "webrtc_candidate", "toUser": "xena", "messageId": "x-12", "payload": {{"candidate": "{"x" * 4097}"}}}}',
        '{"type": "request_random_peer", "messageId": "x-13", "payload": {"currentPeerId": 1}}',
        '{"type": "assign_role", "toUser": "xena", "messageId": "x-14", "payload": {"role": "polite", "peerId": "xara"}}',
        '{"type": "no_peer_available", "messageId": "x-15"}',
    ]:
        await xara.sends(frame)
    await xena.sends('{"type": "hangup", "toUser": "xeno"}')
    await goodbye(xena, xeno, xara)


async def second_tabs(stage: Stage) -> None:
    stage.heading("One tab of several is in the call")
    host = stage.lenient
    yan = await host.enters("yan", path="/ws/matchmaking")
    tab = await host.enters("yan'")
    yul = await host.enters("yul")
    await meet(yul, yan)
    await yul.sends(OFFER % "yan")
    await tab.sends(REQUEST)
    await yul.sends(CANDIDATE % "yan")
    await yan.sends(ANSWER % "yul")
    await tab.closes()
    await yan.sends(REQUEST)
    await yan.sends(UNAVAILABLE)
    await yul.sends('{"type": "hangup", "toUser": "yan"}')
    await goodbye(yan, yul)


async def a_caller_is_lost(stage: Stage) -> Client:
    stage.heading("A caller loses the connection")
    host = stage.lenient
    lea = await host.enters("lea", path="/ws/matchmaking")
    leo = await host.enters("leo", path="/ws/matchmaking")
    await meet(leo, lea)
    await lea.drops()
    # What happens next takes seconds, in which the other scenes are played.
    leo.steps_aside()
    return leo


async def the_lost_caller_does_not_come_back(stage: Stage, left_alone: Client) -> None:
    stage.heading("The lost caller does not come back")
    left_alone.steps_back()
    await left_alone.hears()
    await left_alone.sends('{"type": "hangup", "toUser": "lea", "messageId": "leo-1"}')
    await goodbye(left_alone)
