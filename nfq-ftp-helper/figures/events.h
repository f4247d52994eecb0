/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - what a worker's engine reports, for whoever follows (asking/), and the last refusal of each reason.
 *
 * Theory of operation. One worker writes, one other thread reads. The worker never waits: where the ring is full, what comes is
 * lost and counted. While nobody follows nothing but refusals is kept, and of each reason the last. Texts are copied as they came from the network, and as
 * far as they are an address and a port; whatever else a client may have typed there, a password or a name, is not kept.
 */
#ifndef FIGURES_EVENTS_H
#define FIGURES_EVENTS_H

#include "core/engine/report.h"
#include "snapshot.h"

#define EVENTS_MAX	   512
#define EVENTS_TEXT_MAX	   104
#define EVENTS_COMMAND_MAX 8

/* What is kept of it. */
enum events_wanted {
	EVENTS_NONE, /* nobody follows */
	EVENTS_REPORTS,
	EVENTS_LINES, /* lines that announce nothing, too */
};

struct event {
	uint64_t at; /* milliseconds, of the worker's clock */
	enum report_kind kind;
	enum direction direction;
	enum refusal refusal;
	int error;
	int32_t shift; /* REWRITE: of what follows */
	struct endpoint client, server;
	struct tuple data;	/* EXPECT, UNEXPECT: the connection; the source's port is any */
	struct endpoint behind; /* likewise, where its end is translated: what it is; else its family is 0 */
	uint16_t port;
	char command[EVENTS_COMMAND_MAX];
	uint8_t from_length, to_length;
	char from[EVENTS_TEXT_MAX], to[EVENTS_TEXT_MAX];
};

/* The last refusal of a reason. */
struct last_refusal {
	uint64_t at; /* milliseconds, of the worker's clock; 0: there was none */
	struct endpoint client, server;
	int32_t error;
	char command[EVENTS_COMMAND_MAX];
	_Alignas(8) char end[8]; /* whole words */
};

struct refusal_note {
	atomic_uint version;
	atomic_ulong words[SNAPSHOT_WORDS(struct last_refusal)];
};

/* All zero at first. */
struct events {
	atomic_int wanted; /* enum events_wanted */
	atomic_uint put, taken;
	atomic_ulong lost;
	struct refusal_note last[REFUSALS];
	struct event ring[EVENTS_MAX];
};

/* The worker's. */
void events_put(struct events *events, const struct report *report, uint64_t now);

/* The reader's. Return: false: there is none. */
bool events_take(struct events *events, struct event *event);

/* From now on. Where nothing was wanted before, what is still there is not for who comes. */
void events_want(struct events *events, enum events_wanted wanted);

/* The worker's: does anybody want lines? */
static inline bool events_want_lines(const struct events *events)
{
	return atomic_load_explicit(&events->wanted, memory_order_relaxed) == EVENTS_LINES;
}

/* Return: false: there was none. */
bool events_last(const struct events *events, enum refusal refusal, struct last_refusal *last);

#endif
