# SPDX-License-Identifier: GPL-2.0-or-later
"""A conntrack helper of user space that queues nothing: all it does is to let connections have expectations.

It is made by nfnetlink_cthelper, as mode cthelper's own is, but disabled. It is the whole machine's, and stays.
"""

import os
import socket
import struct

NETLINK_NETFILTER = 12
NFNL_SUBSYS_CTHELPER = 9
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 0x1, 0x4, 0x400
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000
NFCTH_NAME, NFCTH_TUPLE, NFCTH_QUEUE_NUM, NFCTH_POLICY, NFCTH_PRIV_DATA_LEN, NFCTH_STATUS = range(1, 7)
NFCTH_TUPLE_L3PROTONUM, NFCTH_TUPLE_L4PROTONUM = 1, 2
NFCTH_POLICY_SET_NUM, NFCTH_POLICY_SET = 1, 2
NFCTH_POLICY_NAME, NFCTH_POLICY_EXPECT_MAX, NFCTH_POLICY_EXPECT_TIMEOUT = 1, 2, 3
NFCT_HELPER_STATUS_DISABLED = 0


def attribute(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + b"\0" * (-length % 4)


def number(kind, value):
    return attribute(kind, struct.pack(">I", value))


def nested(kind, *attributes):
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def definition(name, family, expectations=8, seconds=300):
    text = name.encode() + b"\0"
    return b"".join((
        attribute(NFCTH_NAME, text),
        nested(NFCTH_TUPLE, attribute(NFCTH_TUPLE_L3PROTONUM, struct.pack(">H", family)),
               attribute(NFCTH_TUPLE_L4PROTONUM, struct.pack("B", socket.IPPROTO_TCP))),
        number(NFCTH_QUEUE_NUM, 0),
        number(NFCTH_PRIV_DATA_LEN, 0),
        number(NFCTH_STATUS, NFCT_HELPER_STATUS_DISABLED),
        nested(NFCTH_POLICY, number(NFCTH_POLICY_SET_NUM, 1), nested(
            NFCTH_POLICY_SET, attribute(NFCTH_POLICY_NAME, text), number(NFCTH_POLICY_EXPECT_MAX, expectations),
            number(NFCTH_POLICY_EXPECT_TIMEOUT, seconds)))))


def register(name):
    """Makes it for both families, or brings it up to date. An OSError says what the kernel did not like."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        for family in (socket.AF_INET, socket.AF_INET6):
            body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + definition(name, family)
            flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
            sock.send(struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_CTHELPER << 8, flags, family, 0) + body)
            _, kind, _, _, _, error = struct.unpack("=IHHIIi", sock.recv(4096)[:20])
            if kind == NLMSG_ERROR and error:
                raise OSError(-error, f"cthelper {name}: {os.strerror(-error)}")
