/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * marks - which bit of the connmark is ours, and who else uses which.
 */
#ifndef RULESET_MARKS_H
#define RULESET_MARKS_H

#include "found.h"
#include "host/attach.h"
#include "host/route_rules.h"

#define MARKS_ROUTES_MAX 256

struct marks {
	uint32_t own;	   /* what our rules have: a value within ... */
	uint32_t own_mask; /* ... these bits; 0: there are no such rules */
	uint32_t used;	   /* bits that others use for anything */
	uint32_t harmful;  /* bits that others would take for theirs, or take away */
	uint32_t restored; /* bits that somebody copies from connections to packets, which are routed by theirs */
	bool own_labelled; /* our rules have a label, too ... */
	uint8_t own_label; /* ... which is this */
	uint64_t labels_used[2];
	unsigned int route_count;
	struct route_rule routes[MARKS_ROUTES_MAX];
};

/* Which bits these rules and this machine's `ip rule`s use. */
void marks_look(struct marks *marks, const struct found *found);

/* A bit that nobody uses; else one that does no harm; @avoid is none. Return: it; 0: there is none. */
uint32_t marks_free(const struct marks *marks, uint32_t avoid);

/**
 * marks_settle - the mark, where none was said
 * @attach: its mark is filled in where its mask is 0; the mode is known, or auto
 * @ports: of control connections
 * @rules: rules are to be made for it: then that of the present ones is kept only where it does no harm
 *
 * `rules' and `run' come to the same: what our rules have, the module's in mode kmod, else a free bit. So with the label, which
 * `run' uses where the rules have one, even when it was told of none.
 */
void marks_settle(struct attach *attach, const struct ports *ports, bool rules);

/* The same, by rules that have been read; NULL: they could not be. */
void marks_settle_by(struct attach *attach, const struct found *found, bool rules);

#define MARKS_CULPRIT_MAX 300

/* Who would take bits of @mask for his, or take them away: the end of "is ...". Return: false: nobody. */
bool marks_culprit(const struct marks *marks, const struct found *found, uint32_t mask, char text[MARKS_CULPRIT_MAX]);

#endif
