/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge - have rules gone? What was once seen in place is expected to stay: when some of it is missing they have gone, until all of it is
 * back. What was never seen is not missed, but where somebody says that he has put it in place. Nothing here asks anybody: what stands are passed in.
 *
 *	judgement	what it means									state then
 *	-----------	-------------------------------------------------------------------------------	----------
 *	SAME		nothing new									as it was
 *	THERE		rules have been seen for the first time, or more of them			there
 *	REPLACED	all that is expected is there, but not by the same rules, and not in one step: for
 *			a moment there may have been none						there
 *	GONE		some of it is missing								gone
 *	OTHER		other places of it than before							gone
 *	BACK		nothing is missing any more							there
 */
#ifndef WATCH_JUDGE_H
#define WATCH_JUDGE_H

#include "standing.h"

enum judgement {
	JUDGEMENT_SAME,
	JUDGEMENT_THERE,
	JUDGEMENT_REPLACED,
	JUDGEMENT_GONE,
	JUDGEMENT_OTHER,
	JUDGEMENT_BACK,
};

/* Zeroed at first: no rule has been seen. */
struct judge {
	uint32_t expected; /* places */
	uint32_t missing;  /* of these; 0: they are there, or never were */
	bool awaited;	   /* by somebody who has put some in place ... */
	bool absent;	   /* ... and none have been seen so far, here or there: they have gone, whatever they were */
	uint64_t print;
};

/**
 * judge_look - what does what stands mean?
 * @judge: changed
 * @standing: a steady one
 * @steps: how often the ruleset may have changed since the last look: changes in one step leave no moment without
 */
enum judgement judge_look(struct judge *judge, const struct standing *standing, unsigned int steps);

/* What is there now is what is meant: the rest is not missed any more. Where nothing is there, nothing is changed. @standing: the last one. */
enum judgement judge_accept(struct judge *judge, const struct standing *standing);

#endif
