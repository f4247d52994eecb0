/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings - what can be said about how a capture is to be played back, as plain data.
 */
#ifndef PLAYBACK_SETTINGS_H
#define PLAYBACK_SETTINGS_H

#include "core/conntrack.h"
#include "model/nat.h"

/* What a wrong TCP checksum is. */
enum playback_checksums {
	PLAYBACK_CHECKSUMS_AUTO, /* it is looked at what the capture's others are */
	PLAYBACK_CHECKSUMS_CHECK,
	PLAYBACK_CHECKSUMS_IGNORE,
};

struct playback_settings {
	struct nat nat;
	enum seqadj_by seqadj_by;
	enum playback_checksums checksums;
	uint8_t control_ports[65536 / 8]; /* a bit each */
};

#endif
