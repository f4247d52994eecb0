/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan - must user space see this packet? Freestanding: the kernel module decides with it, user space tests it.
 *
 * Theory of operation. A scan follows one control connection, both directions, with 32 bytes of memory. It lets a packet
 * pass that cannot matter: bytes that continue what it has seen, whole lines, each a command or a reply that
 * announces nothing, while no command that does is unanswered. Everything else it hands over, and all that comes before it has been shown
 * that this is FTP (dialogue.h: trusted).
 *
 * Two rules keep the engine in user space exact, although it does not see what passes.
 *
 * First, nothing passes while bytes that were handed over, in either direction, are not acknowledged. What user space drops, cuts
 * or holds back is not acknowledged, and what it edits is not settled before it is: so whatever passes is beyond all that.
 * (Should the daemon be away, and the queue bypass it, they are acknowledged as well: they passed.)
 *
 * Second, the scan keeps a note of how things stood when the last packet passed: the sequence numbers of both directions, and the
 * dialogue (how many commands were unanswered: of no interest, and one transfer). From there on user space has been given
 * everything. The note goes with each packet that is handed over, and passed_input() takes it up.
 *
 * A third outcome is the caller's: where he sets fast, a plain announcement, the command that asks for one and its answer may pass as well,
 * if he carries the announcement out by himself (core/plain/plain.h; what becomes of his own: scan_own.h). And as long as nothing at all of
 * a connection has been handed over, its beginning and its end may pass likewise, so that of a plain session user space sees nothing: until
 * it has been shown that this is FTP, the note tells how far that has come. Without fast nothing of this is.
 *
 * What the lines mean is what dialogue.c says they mean, and which reply answers which command is pairing.c's for both; where the two could
 * differ, or the 32 bytes do not suffice, the scan hands over more. It reads what user
 * space may have dropped, so it may be ahead: a reply that the server wrote before he had the command does not answer it.
 * Whoever repeats bytes and changes them deceives himself: which ones arrive he knows as little as the scan. What no receiver would
 * take (belief.h) is handed over and changes nothing here.
 */
#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "scan_state.h"

/**
 * scan_begin - take note of a segment's header
 * @scan: the connection
 * @segment: filled in but for the scan's own
 *
 * Return: how many bytes at the end of the payload scan_read() must be given, in order, in any number of pieces.
 */
uint32_t scan_begin(struct scan *scan, struct scan_segment *segment);

/* Some of those bytes. After the last of them the fates are known: what they say is done before anything is announced. */
void scan_read(struct scan *scan, struct scan_segment *segment, const uint8_t *data, size_t length);

/**
 * scan_announces - is the segment one plain announcement, which the caller may carry out by himself?
 * @scan: the connection
 * @segment: all of it has been read
 *
 * Whoever has carried it out sets segment->done; then scan_end() has it pass.
 */
bool scan_announces(const struct scan *scan, const struct scan_segment *segment);

/* All of them have been read, or could not be. Return: true when user space must see the segment. What is gone by now says its fates. */
bool scan_end(struct scan *scan, struct scan_segment *segment);

/* How far a transfer is, of those that the scan follows. */
enum scan_transfer {
	SCAN_TRANSFER_NONE,
	SCAN_TRANSFER_AWAITED, /* its command has no reply yet */
	SCAN_TRANSFER_GOES_ON, /* a 1xx, and no final one */
};

enum scan_transfer scan_transfer(const struct scan *scan);

/* How things stood when the last packet passed. */
struct scan_note {
	uint32_t next[2]; /* by enum direction: all before it has gone; a line begins here */
	bool opaque;	  /* not FTP: the rest does not matter */
	bool tls;	  /* TLS has begun since then */
	bool whole;	  /* that was long ago: everything has been handed over since then */
	bool alone;	  /* user space has been given nothing of the connection at all */
	bool single; /* it comes with the first packet that is handed over since then: there is no other that may have bypassed */
	bool early; /* it had not been shown yet that this is FTP: */
	bool greeted;
	bool logged_in;
	bool spoken; /* the client has, and be it a load balancer's header: no other comes before his first line */
	uint8_t exchanged; /* enum exchanged */
	bool edit[2];	   /* by enum direction: an edit of the module's is not acknowledged yet */
	/* commands unanswered: of no interest, one transfer, or one that the module deals with (IDLE, PASSIVE); early, a LOGIN */
	struct pairing pairing;
	struct seqadj adj[2]; /* as conntrack adjusts: the caller's to fill in, zero where he does not know */
};

/**
 * scan_note - read a note
 * @scan: the bytes of a struct scan: CTA_HELP_INFO
 * @length: how many
 * @note: filled in
 *
 * Return: false where there is none: nothing has passed yet, or @scan is none.
 */
bool scan_note(const void *scan, size_t length, struct scan_note *note);

#endif
