/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watcher - a process beside the daemon that looks whether the rules that it lives by are still in place, and says when they are not.
 *
 * Theory of operation. It is a process of its own since it asks for iptables-legacy's tables by sockets of AF_INET and AF_INET6, which are not for the
 * process that reads what strangers write: whoever finds a fault there could send by them. The watcher reads nothing but the kernel's rules,
 * and is confined as the daemon is (isolation/isolation.h), once its sockets are open; it starts no program and writes no file. It looks a
 * tenth of a second after nf_tables has told of a change, once a second where there are rules of iptables-legacy, and takes a tenth of one
 * processor at most, however large the ruleset is and however often it changes.
 *
 * It says on its channel what it has found, a struct watcher_news each, and hears one byte: that what is there now is what is meant, or that there have to
 * be some. It ends when
 * the daemon does. What is to be done about the news is the daemon's.
 */
#ifndef WATCH_WATCHER_H
#define WATCH_WATCHER_H

#include "isolation/child.h"
#include "isolation/isolation.h"
#include "judge.h"

struct watcher_config {
	struct sought sought;
	bool confined;		 /* it is to give up what the daemon gives up */
	const struct user *user; /* as isolation_enter()'s */
	const char *directory;
};

/* What it says beside a judgement. */
enum watcher_trouble {
	WATCHER_SEES,
	WATCHER_BLIND, /* it could not look; it goes on trying */
	WATCHER_ENDED, /* it is gone */
};

struct watcher_news {
	enum watcher_trouble trouble;
	int error;		  /* of trouble: a negative errno; 0: it was ended */
	enum judgement judgement; /* else */
	uint32_t missing;	  /* places, now */
	uint32_t concerned;	  /* places where packets may have passed unseen that are seen otherwise */
	uint32_t begun;		  /* places where none had been seen before */
};

/* Start it, until child_end(). Call it while there is one thread. Return: 0, or a negative errno. */
int watcher_start(struct child *watcher, const struct watcher_config *config);

/* The next news. Return: false: there is none. */
bool watcher_hears(struct child *watcher, struct watcher_news *news);

/* What it is told; a byte. */
enum watcher_request {
	WATCHER_ACCEPT = 'a', /* what is there now is what is meant: judge_accept() */
	WATCHER_AWAIT =
		'w', /* rules have been put in place: should there be none when it looks, they have gone again */
};

void watcher_ask(const struct child *watcher, enum watcher_request what);

#endif
