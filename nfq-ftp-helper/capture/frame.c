// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"

#include "core/wire/bytes.h"
#include "layer.h"

#include <pcap/pcap.h>

#define LINK_TYPE_RAW 101

static const struct link_type link_types[] = {
	{ NULL, DLT_RAW, LINK_TYPE_RAW, LAYER_RAW },
	{ NULL, DLT_IPV4, 228, LAYER_RAW },
	{ NULL, DLT_IPV6, 229, LAYER_RAW },
	{ NULL, DLT_EN10MB, 1, LAYER_ETHERNET },
	{ NULL, DLT_LINUX_SLL, 113, LAYER_COOKED },
	{ NULL, DLT_LINUX_SLL2, 276, LAYER_COOKED2 },
	{ NULL, DLT_NULL, 0, LAYER_LOOPBACK },
	{ NULL, DLT_LOOP, 108, LAYER_LOOPBACK },
	{ layer_nflog_exchange, DLT_NFLOG, 239, LAYER_NFLOG },
	{ NULL, DLT_PPP, 9, LAYER_PPP },
	{ NULL, DLT_PPP_SERIAL, 50, LAYER_HDLC },
	{ NULL, DLT_PPP_ETHER, 51, LAYER_PPPOE },
	{ NULL, DLT_C_HDLC, 104, LAYER_CISCO_HDLC },
	{ NULL, DLT_PPP_PPPD, 166, LAYER_PPP_DIRECTION },
	{ NULL, DLT_PPP_WITH_DIR, 204, LAYER_PPP_DIRECTION },
	{ NULL, DLT_MPLS, 219, LAYER_MPLS },
	{ NULL, DLT_IEEE802_11, 105, LAYER_WLAN },
	{ NULL, DLT_PRISM_HEADER, 119, LAYER_PRISM },
	{ NULL, DLT_IEEE802_11_RADIO, 127, LAYER_RADIOTAP },
	{ NULL, DLT_IEEE802_11_RADIO_AVS, 163, LAYER_AVS },
};

const struct link_type *link_type_find(int number)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		if (link_types[i].number == number || link_types[i].dlt == number)
			return &link_types[i];
	}
	return NULL;
}

const struct link_type *link_type_raw(void)
{
	return link_type_find(LINK_TYPE_RAW);
}

const char *link_type_name(int number)
{
	const char *name = pcap_datalink_val_to_name(number);

	return name ? name : "unknown";
}

bool frame_find_ip(const struct link_type *type, const uint8_t *frame, uint32_t captured, struct frame_place *place)
{
	struct layer_walk walk = { .frame = frame, .end = captured, .place = place };
	enum layer layer = type->first;

	*place = (struct frame_place){ .alignment = 1 };
	while (layers[layer])
		layer = layers[layer](&walk);
	place->ip = walk.at;
	place->end = walk.end;
	return layer == LAYER_IP;
}

bool frame_set_length(uint8_t *frame, const struct frame_place *place, uint32_t length)
{
	for (uint32_t i = 0; i < place->length_count; i++) {
		const struct frame_length *field = &place->lengths[i];
		const uint32_t value = place->ip + length - field->from;
		const uint16_t native = (uint16_t)value;

		if (value > UINT16_MAX)
			return false;
		if (field->native)
			memcpy(frame + field->at, &native, sizeof(native));
		else
			bytes_put16(frame + field->at, native);
	}
	return true;
}
