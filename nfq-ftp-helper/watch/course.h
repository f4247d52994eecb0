/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * course - what is done about rules that have gone, and what is said. It asks nobody, and reads no clock.
 *
 * Where they are ours to keep they are put in place again, as soon as every worker knows that it has missed packets; and that is said once it is
 * done, or has failed. The third time within a minute, or after a failure, it waits before it does so again, twice as long each time and a minute at most:
 * somebody else takes them away, and it would be a quarrel.
 *
 * Where they are somebody else's it is said, once they have been gone for a second: who reloads a firewall puts them back sooner. Then nothing is
 * said until they are back, and that is said, too.
 */
#ifndef WATCH_COURSE_H
#define WATCH_COURSE_H

#include "watcher.h"

struct course {
	bool keeps; /* the rules are ours to put in place */
	bool gone;
	bool told;	    /* that they are gone; or that they cannot be put back */
	bool applying;	    /* they are being put back */
	bool mended;	    /* they have been put back, and have not been seen so far */
	uint32_t missing;   /* all places that were missing since; ... */
	uint64_t gone_at;   /* ... milliseconds: when that began */
	uint64_t put_at;    /* when they were last put back; 0: never */
	uint64_t try_at;    /* not before */
	unsigned int tries; /* one behind the other, and none of them lasted */
};

/* What there is to be said. */
enum course_word {
	COURSE_NOTHING,
	COURSE_GONE,	 /* they have gone, and who keeps them has to put them back */
	COURSE_BACK,	 /* after that */
	COURSE_BLINK,	 /* they have gone, and are back already */
	COURSE_PUT_BACK, /* they had gone, and are put back */
	COURSE_FAILED,	 /* and could not be */
	COURSE_ALONE,	 /* nor will be: whoever puts them in place is gone */
};

/* There is news. Return: a word. */
enum course_word course_hear(struct course *course, const struct watcher_news *news, uint64_t now);

/* Time goes by. Return: a word. */
enum course_word course_wait(struct course *course, uint64_t now);

/* Are they to be put back now? Then course_applied() is due. @known: every worker knows what it has missed. */
bool course_applies(struct course *course, uint64_t now, bool known);

/* It has been done, or failed: 0, or a negative errno; -EPIPE or -ETIMEDOUT: there is nobody any more who does it. Return: a word. */
enum course_word course_applied(struct course *course, int error, uint64_t now);

/* Somebody has mended something: it is tried at once. */
void course_again(struct course *course);

#endif
