/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * look - the rules that the kernel has, asked of itself: no program is started. nf_tables tells of each change (NFNLGRP_NFTABLES), iptables-legacy
 * has to be looked at from time to time.
 */
#ifndef WATCH_LOOK_H
#define WATCH_LOOK_H

#include "kernel/exchange.h"
#include "standing.h"

/* Tables of iptables-legacy, or of ip6tables-legacy. */
struct look_legacy {
	int socket; /* -1: they cannot be asked for */
	int names;  /* the kernel's list of them, of which each is loaded; -1: it cannot be read, or there are none */
};

struct look {
	struct sought sought;
	struct exchange exchange;
	int events; /* changes of nf_tables; -1: it does not tell of them */
	struct look_legacy legacy[STANDING_FAMILIES];
};

/*
 * Open all that takes rights. @look is the caller's memory, as much as struct exchange has. Return: 0, or a negative errno: there is no asking the
 * kernel at all. Its files are open until the process ends, which does nothing else.
 */
int look_open(struct look *look, const struct sought *sought);

/**
 * look_news - what has nf_tables told of since?
 * @look: its events are readable
 * @steps: added to: so many changes, each in one step
 *
 * Return: whether any of it may be about rules of interest.
 */
bool look_news(struct look *look, unsigned int *steps);

/* May there be rules that nobody tells of? And are there any now, so that it has to be looked at without being told? */
bool look_needs_clock(const struct look *look);
bool look_is_due(const struct look *look);

/* Look. @standing: filled in. Return: 0, or a negative errno. */
int look_at(struct look *look, struct standing *standing);

#endif
