/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialogue - an engine, a conntrack that writes down what it is asked, and one control connection through them: each
 * step of a test is one line.
 *
 *	struct dialogue d;
 *
 *	dialogue_open(&d, MASQUERADE);
 *	dialogue_says(&d, SERVER, "220 ready\r\n");
 *	dialogue_says(&d, CLIENT, "PORT 10,0,0,2,11,185\r\n");
 *	dialogue_left(&d, "PORT 198,51,100,254,11,185\r\n");
 *	dialogue_expects(&d, 3001);
 *
 * Everything arrives at once and is acknowledged by the next packet of the other side, unless d.silent is set.
 */
#ifndef COMMON_DIALOGUE_H
#define COMMON_DIALOGUE_H

#include "common/packet.h"
#include "core/session/passed.h"
#include "core/session/resume.h"
#include "core/session/session.h"

#include <string.h>

enum { CLIENT, SERVER }; /* as enum direction */

enum nat {
	NO_NAT = 0,
	MASQUERADE = 1, /* the client is shown as 198.51.100.254 */
	DNAT = 2,	/* the server, 192.168.7.3, is known as 203.0.113.80 */
	WITH_IPV6 = 4,
};

/* The client announces its port 3001: as it writes it, and as a masquerading router shows it. */
#define PORT_IN	 "PORT 10,0,0,2,11,185\r\n"
#define PORT_OUT "PORT 198,51,100,254,11,185\r\n"
#define GROWTH	 6 /* so much longer */
/* And the server announces its own. */
#define PASSIVE "227 Entering Passive Mode (192,168,7,3,11,185).\r\n"

#define DIALOGUE_EXPECTATIONS 16

struct dialogue {
	struct conntrack conntrack; /* first */
	struct engine engine;
	struct table_size size;
	void *memory;
	struct binding binding;
	struct endpoint inside[2];
	int find_error, expect_error, adjust_error;
	enum seqadj_by by;
	uint16_t busy_port; /* somebody else expects this one */
	struct expectation expectation[DIALOGUE_EXPECTATIONS];
	unsigned int expectations;
	unsigned int find_calls, expect_calls, unexpect_calls, adjust_calls, settle_calls;
	struct seqadj adj[2];	    /* as handed over */
	enum refusal refusal;	    /* the last one reported */
	uint64_t refused[REFUSALS]; /* reported since the engine's start: what it has counted */
	unsigned int reports[REPORT_END + 1];
	/* the two ends */
	uint32_t seq[2];   /* next byte each writes, its own numbers */
	uint32_t acked[2]; /* what each has acknowledged of the other's, numbers as the other sees them */
	uint64_t now;
	bool invalid; /* conntrack calls what arrives so */
	bool silent;  /* packets carry old acknowledgements */
	/* what left last */
	enum verdict verdict;
	struct packet in;
	uint8_t buffer[65536 + 256];
	const uint8_t *out;
	uint32_t out_length;
};

/* The daemon dies and is there again. */
void dialogue_restart(struct dialogue *d);

/* Everything ready, no packet yet. */
void dialogue_begin(struct dialogue *d, unsigned int nat);

/* A packet as it stands in d->in. */
void dialogue_input(struct dialogue *d);

/* Bytes at an offset from the writer's next one, with flags; nothing moves on. */
void dialogue_packet(struct dialogue *d, int side, uint32_t seq, uint8_t flags, const void *bytes, uint32_t length);

/* What the receiver sees becomes what it acknowledges. */
void dialogue_arrived(struct dialogue *d, int side);

/* The next bytes of a side, in one segment. */
void dialogue_says_bytes(struct dialogue *d, int side, const void *bytes, uint32_t length);
void dialogue_says(struct dialogue *d, int side, const char *text);

void dialogue_handshake(struct dialogue *d);

/* Begun, and the handshake done. dialogue_close() gives back what it takes. */
void dialogue_open(struct dialogue *d, unsigned int nat);

/* As far as a login: most tests begin here. */
void dialogue_ready(struct dialogue *d, unsigned int nat);

void dialogue_close(struct dialogue *d);

/* The payload of what left last. */
void dialogue_left(const struct dialogue *d, const char *text);
uint32_t dialogue_left_seq(const struct dialogue *d);

/* One thing is expected, at this port. */
void dialogue_expects(const struct dialogue *d, uint16_t port);

/* Nothing has ever been expected, and the reason given is this. */
void dialogue_refused(const struct dialogue *d, enum refusal refusal);

/* One of these as its last word. */
void dialogue_ends_open(struct dialogue *d, uint16_t port);
void dialogue_ends_refused(struct dialogue *d, enum refusal refusal);

#endif
