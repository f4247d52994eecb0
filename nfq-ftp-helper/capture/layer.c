// SPDX-License-Identifier: GPL-2.0-or-later
#include "layer.h"

#include "core/wire/bytes.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848, /* RFC 5332 */
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_QINQ = 0x9100, /* and the two after it: before 802.1ad */
};

#define LENGTH_8023_MAX 1500u

static enum layer by_ethertype(struct layer_walk *walk)
{
	static const struct {
		uint16_t protocol;
		uint8_t layer;
	} rows[] = {
		{ ETHERTYPE_IPV4, LAYER_IP },		{ ETHERTYPE_IPV6, LAYER_IP },
		{ ETHERTYPE_8021Q, LAYER_VLAN },	{ ETHERTYPE_8021AD, LAYER_VLAN },
		{ ETHERTYPE_QINQ, LAYER_VLAN },		{ ETHERTYPE_QINQ + 0x100, LAYER_VLAN },
		{ ETHERTYPE_QINQ + 0x200, LAYER_VLAN }, { ETHERTYPE_PPPOE_SESSION, LAYER_PPPOE },
		{ ETHERTYPE_MPLS, LAYER_MPLS },		{ ETHERTYPE_MPLS_UPSTREAM, LAYER_MPLS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].protocol == walk->protocol)
			return rows[i].layer;
	}
	return LAYER_NONE;
}

/* Behind addresses or a tag: an Ethertype, or the length of what follows in LLC (IEEE 802.3). */
static enum layer take_type_or_length(struct layer_walk *walk)
{
	const uint8_t *field = layer_take(walk, 2);

	if (!field)
		return LAYER_NONE;
	walk->protocol = bytes_get16(field);
	if (walk->protocol > LENGTH_8023_MAX)
		return LAYER_ETHERTYPE;
	return layer_note_length(walk, walk->at - 2, walk->at, false) ? LAYER_LLC : LAYER_NONE;
}

static enum layer take_ethernet(struct layer_walk *walk)
{
	return layer_take(walk, 12) ? take_type_or_length(walk) : LAYER_NONE;
}

static enum layer take_vlan(struct layer_walk *walk)
{
	return layer_take(walk, 2) ? take_type_or_length(walk) : LAYER_NONE;
}

/* SNAP with an Ethertype (RFC 1042), or as bridges write it (802.1H). */
static enum layer take_llc(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 8);

	if (!header || header[0] != 0xaa || header[1] != 0xaa || header[2] != 3)
		return LAYER_NONE;
	if (header[3] || header[4] || (header[5] && header[5] != 0xf8))
		return LAYER_NONE;
	walk->protocol = bytes_get16(header + 6);
	return LAYER_ETHERTYPE;
}

/* RFC 2516: version and type 1, code 0 in a session. Its length counts what follows. */
static enum layer take_pppoe(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 6);

	if (!header || header[0] != 0x11 || header[1] != 0)
		return LAYER_NONE;
	return layer_note_length(walk, walk->at - 2, walk->at, false) ? LAYER_PPP : LAYER_NONE;
}

/* RFC 1661: the protocol's last byte alone is odd; it may stand alone. Before it there may be 0xff and 3 (RFC 1662). */
static enum layer take_ppp(struct layer_walk *walk)
{
	const uint8_t *byte;
	uint32_t protocol;

	if (layer_peek(walk) == 0xff) {
		byte = layer_take(walk, 2);
		if (!byte || byte[1] != 3)
			return LAYER_NONE;
	}
	byte = layer_take(walk, 1);
	if (!byte)
		return LAYER_NONE;
	protocol = *byte;
	if (!(protocol & 1)) {
		byte = layer_take(walk, 1);
		if (!byte)
			return LAYER_NONE;
		protocol = protocol << 8 | *byte;
	}
	if (protocol == 0x0021 || protocol == 0x0057)
		return LAYER_IP;
	return protocol == 0x0281 || protocol == 0x0283 ? LAYER_MPLS : LAYER_NONE;
}

/* A byte that says which way: alone, or where pppd writes it, in the place of 0xff. */
static enum layer take_ppp_direction(struct layer_walk *walk)
{
	if (!layer_take(walk, 1))
		return LAYER_NONE;
	if (layer_peek(walk) == 3)
		layer_take(walk, 1);
	return LAYER_PPP;
}

static enum layer take_cisco_hdlc(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 4);

	if (!header)
		return LAYER_NONE;
	walk->protocol = bytes_get16(header + 2);
	return LAYER_ETHERTYPE;
}

/* Cisco's addresses are unicast and broadcast. */
static enum layer take_hdlc(struct layer_walk *walk)
{
	const int address = layer_peek(walk);

	return address == 0x0f || address == 0x8f ? LAYER_CISCO_HDLC : LAYER_PPP;
}

/* RFC 3032; what follows is told by its first nibble (RFC 4928): IP's version, or 0 of a control word before Ethernet (RFC 4448). */
static enum layer take_mpls(struct layer_walk *walk)
{
	const uint8_t *label;
	int next;

	do {
		label = layer_take(walk, 4);
		if (!label)
			return LAYER_NONE;
	} while (!(label[2] & 1));
	next = layer_peek(walk);
	if (next >> 4 == 4 || next >> 4 == 6)
		return LAYER_IP;
	return next >> 4 == 0 && layer_take(walk, 4) ? LAYER_ETHERNET : LAYER_NONE;
}

/* An Ethertype, or a number of Linux' own: 4 is LLC, the others carry no IP. */
static enum layer cooked_protocol(struct layer_walk *walk, uint16_t protocol)
{
	walk->protocol = protocol;
	return protocol == 4 ? LAYER_LLC : LAYER_ETHERTYPE;
}

static enum layer take_cooked(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 16);

	return header ? cooked_protocol(walk, bytes_get16(header + 14)) : LAYER_NONE;
}

static enum layer take_cooked2(struct layer_walk *walk)
{
	const uint8_t *header = layer_take(walk, 20);

	return header ? cooked_protocol(walk, bytes_get16(header)) : LAYER_NONE;
}

/*
 * BSD loopback: the address family of the system that captured, in its byte order (NULL) or the network's (LOOP).
 * Each system has its own number for IPv6.
 */
static enum layer take_loopback(struct layer_walk *walk)
{
	static const uint8_t families[] = { 2, 10, 24, 28, 30 };
	const uint8_t *header = layer_take(walk, 4);

	if (!header || header[1] || header[2] || (header[0] && header[3]))
		return LAYER_NONE;
	return memchr(families, header[0] | header[3], sizeof(families)) ? LAYER_IP : LAYER_NONE;
}

static enum layer take_raw(struct layer_walk *walk)
{
	return walk->at < walk->end ? LAYER_IP : LAYER_NONE;
}

enum layer (*const layers[LAYERS])(struct layer_walk *walk) = {
	[LAYER_RAW] = take_raw,
	[LAYER_ETHERTYPE] = by_ethertype,
	[LAYER_ETHERNET] = take_ethernet,
	[LAYER_VLAN] = take_vlan,
	[LAYER_LLC] = take_llc,
	[LAYER_PPPOE] = take_pppoe,
	[LAYER_PPP] = take_ppp,
	[LAYER_PPP_DIRECTION] = take_ppp_direction,
	[LAYER_HDLC] = take_hdlc,
	[LAYER_CISCO_HDLC] = take_cisco_hdlc,
	[LAYER_MPLS] = take_mpls,
	[LAYER_COOKED] = take_cooked,
	[LAYER_COOKED2] = take_cooked2,
	[LAYER_NFLOG] = layer_nflog,
	[LAYER_LOOPBACK] = take_loopback,
	[LAYER_WLAN] = layer_wlan,
	[LAYER_RADIOTAP] = layer_radiotap,
	[LAYER_PRISM] = layer_prism,
	[LAYER_AVS] = layer_avs,
};
