/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * playback - a capture, through the engine, with a model of conntrack and NAT around it; and whoever listens is told what happens.
 */
#ifndef PLAYBACK_PLAYBACK_H
#define PLAYBACK_PLAYBACK_H

#include "capture/segment.h"
#include "core/session/session.h"
#include "model/model.h"
#include "settings.h"

/* A TCP packet that is played back. Borrowed: valid during the call only. */
struct playback_packet {
	struct capture_packet *packet;
	struct capture_segment view;
	struct model_connection connection;
	bool control; /* of a control connection */
	bool related; /* the first of one that is none, but was expected or has to do with a control connection */
};

/* A connection's ends as the inside has them, its client first. */
static inline struct tuple playback_inside(const struct playback_packet *packet)
{
	return (struct tuple){ .src = packet->connection.binding.tuple[DIRECTION_ORIGINAL].src,
			       .dst = packet->connection.binding.tuple[DIRECTION_REPLY].src };
}

enum playback_fate {
	PLAYBACK_PASSED,   /* as it came, but for NAT */
	PLAYBACK_REPLACED, /* by one with another payload or other numbers */
	PLAYBACK_UNREAD,   /* as PASSED; too little of it was captured to be read */
	PLAYBACK_HELD,	   /* back, or dropped: its sender is to send it again */
};

/* Each may be NULL. Of a packet they are called in this order; report() any number of times. */
struct playback_listener {
	void *context;
	/* The next packet is being looked at. */
	void (*time)(void *context, const struct timeval *time);
	/* It is of TCP, and its connection is known. */
	void (*arrives)(void *context, const struct playback_packet *packet);
	/* What the engine reports. */
	void (*report)(void *context, const struct report *report);
	/* What becomes of a packet of TCP. */
	void (*decided)(void *context, const struct playback_packet *packet, enum playback_fate fate);
	/* A packet of any kind goes out: as the outside sees it, in its frame, or elsewhere: then ip is not NULL. */
	void (*leaves)(void *context, const struct capture_packet *packet, const uint8_t *ip, uint32_t length);
};

/* What the engine does not count itself. */
struct playback_counts {
	uint64_t packets;
	uint64_t controls;	    /* control connections, followed or not */
	uint64_t others;	    /* connections that have nothing to do with a control connection */
	uint64_t truncated;	    /* control packets cut off by the snapshot length */
	uint64_t malformed;	    /* packets whose lengths contradict one another, or of a wrong checksum */
	uint64_t checksums_ignored; /* packets that were read although theirs was wrong */
	uint64_t dropped;	    /* packets that would not have gone out when they came */
	uint64_t still_expected;    /* when the capture ended */
};

struct playback;

/**
 * playback_open - read a capture once, and stand at its first packet
 * @path: the file; borrowed, and so are @settings and @listener
 * @settings: how
 * @policy: what of engine's is not the default: loose and foreign
 * @listener: who is told
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: to be closed, or NULL.
 */
struct playback *playback_open(const char *path, const struct playback_settings *settings, const struct policy *policy,
			       const struct playback_listener *listener);

/* The file it reads. */
struct capture *playback_capture(const struct playback *playback);

/* All of it. Return: 0; -EIO when the capture is damaged, which has been said. What is counted is complete in either case. */
int playback_run(struct playback *playback);

/* @playback's own: valid until it is closed. */
const struct playback_counts *playback_counts(const struct playback *playback);
const struct counters *playback_counters(const struct playback *playback);

/* Of a capture that has been played back: had it no control connection, that is said on standard error. Return: 0 or -ENOENT. */
int playback_say_no_ftp(const struct playback *playback);

void playback_close(struct playback *playback);

#endif
