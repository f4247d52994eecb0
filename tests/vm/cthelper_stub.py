# SPDX-License-Identifier: GPL-2.0-or-later
"""A conntrack helper of user space that queues nothing: all it does is to let connections have expectations.

It is made by nfnetlink_cthelper, as mode cthelper's own is, but disabled. It is the whole machine's, and stays.
"""

import errno
import os
import socket
import struct
import time

NETLINK_NETFILTER = 12
NFNL_SUBSYS_CTHELPER = 9
NFNL_MSG_CTHELPER_NEW, NFNL_MSG_CTHELPER_GET, NFNL_MSG_CTHELPER_DEL = 0, 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 0x1, 0x4, 0x400
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000
NFCTH_NAME, NFCTH_TUPLE, NFCTH_QUEUE_NUM, NFCTH_POLICY, NFCTH_PRIV_DATA_LEN, NFCTH_STATUS = range(1, 7)
NFCTH_TUPLE_L3PROTONUM, NFCTH_TUPLE_L4PROTONUM = 1, 2
NFCTH_POLICY_SET_NUM, NFCTH_POLICY_SET = 1, 2
NFCTH_POLICY_NAME, NFCTH_POLICY_EXPECT_MAX, NFCTH_POLICY_EXPECT_TIMEOUT = 1, 2, 3
NFCT_HELPER_STATUS_DISABLED, NFCT_HELPER_STATUS_ENABLED = 0, 1
FAMILIES = (socket.AF_INET, socket.AF_INET6)
ABSENT = (errno.ENOENT, errno.EINVAL)  # EINVAL: nothing of the kind is loaded


def attribute(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + b"\0" * (-length % 4)


def number(kind, value):
    return attribute(kind, struct.pack(">I", value))


def nested(kind, *attributes):
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def identity(name, family):
    return attribute(NFCTH_NAME, name.encode() + b"\0") + nested(
        NFCTH_TUPLE, attribute(NFCTH_TUPLE_L3PROTONUM, struct.pack(">H", family)),
        attribute(NFCTH_TUPLE_L4PROTONUM, struct.pack("B", socket.IPPROTO_TCP)))


def definition(name, family, expectations=8, seconds=300):
    text = name.encode() + b"\0"
    return b"".join((
        identity(name, family),
        number(NFCTH_QUEUE_NUM, 0),
        number(NFCTH_PRIV_DATA_LEN, 0),
        number(NFCTH_STATUS, NFCT_HELPER_STATUS_DISABLED),
        nested(NFCTH_POLICY, number(NFCTH_POLICY_SET_NUM, 1), nested(
            NFCTH_POLICY_SET, attribute(NFCTH_POLICY_NAME, text), number(NFCTH_POLICY_EXPECT_MAX, expectations),
            number(NFCTH_POLICY_EXPECT_TIMEOUT, seconds)))))


def request(message, flags, attributes):
    """Sends one request and waits for its acknowledgement: 0, or a positive error number."""
    body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + attributes
    head = struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_CTHELPER << 8 | message, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.send(head + body)
        kind, error = struct.unpack("=4xH10xi", sock.recv(4096)[:20])
    return -error if kind == NLMSG_ERROR else 0


def is_enabled(name):
    """Whether a helper of user space queues packets, in both families."""
    return all(_status(name, family) == NFCT_HELPER_STATUS_ENABLED for family in FAMILIES)


def _status(name, family):
    """None: there is no such helper."""
    body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + identity(name, family)
    head = struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_GET, NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.send(head + body)
        answer = sock.recv(4096)
    length, kind = struct.unpack("=IH", answer[:6])
    at = 20
    while kind != NLMSG_ERROR and at < length:
        size, what = struct.unpack("=HH", answer[at:at + 4])
        if what & ~NLA_F_NESTED == NFCTH_STATUS:
            return struct.unpack(">I", answer[at + 4:at + 8])[0]
        at += size + -size % 4
    return None


def insist(error, what):
    if error:
        raise OSError(error, f"{what}: {os.strerror(error)}")


def register(name):
    """Makes it for both families, or brings it up to date."""
    for family in FAMILIES:
        insist(request(NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE, definition(name, family)), f"cthelper {name} is not accepted")


def unregister(name, patience=20):
    """Takes a helper of user space away. A namespace that is on its way out may still use it for a while."""
    deadline = time.monotonic() + patience
    for family in FAMILIES:
        while (error := request(NFNL_MSG_CTHELPER_DEL, 0, identity(name, family))) == errno.EBUSY and \
                time.monotonic() < deadline:
            time.sleep(0.1)
        insist(0 if error in ABSENT else error, f"cthelper {name} cannot be removed")
