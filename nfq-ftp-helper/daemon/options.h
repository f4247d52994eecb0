/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - what `run' is told, on the command line and in a file.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "core/session.h"
#include "kernel/ctnetlink.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_PATH_MAX 256

/* Consecutive queue numbers. */
struct queue_range {
	bool given;
	uint16_t first;
	uint16_t last;
};

/* Who queues packets. */
enum mode {
	MODE_AUTO,	/* the module where it is loaded, else cthelper where the kernel has it, else rules */
	MODE_QUEUE,	/* NFQUEUE rules */
	MODE_CTHELPER,	/* the helper "nfq-ftp" that this program registers */
	MODE_KMOD,	/* the helper "nfq-ftp" of the module nf_conntrack_nfqftp */
};

struct options {
	enum mode mode;
	bool unregister;		/* at the end, mode cthelper */
	uint32_t expect_max;		/* expectations of a connection, mode cthelper */
	struct queue_range queues;
	struct queue_range sure_queues;	/* as many, where given */
	uint32_t mark;
	uint32_t mark_mask;
	enum seqadj_mode seqadj;
	struct policy policy;
	uint32_t sessions;		/* per queue */
	uint32_t queue_length;
	uint32_t receive_buffer;
	char state_directory[OPTIONS_PATH_MAX];
	char file[OPTIONS_PATH_MAX];	/* -c; "": none */
	unsigned int verbose;
	bool help;
};

/**
 * options_parse - read the command line, and the file it names
 * @options: filled in
 * @argc: as main()'s
 * @argv: likewise
 *
 * What is wrong is said on standard error, in one sentence.
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(struct options *options, int argc, char **argv);

/* Whether the queues go together: as above. */
int options_check(const struct options *options);

/* `run --help'. */
void options_print_help(void);

static inline unsigned int queue_range_count(const struct queue_range *range)
{
	return range->given ? range->last - range->first + 1u : 0;
}

/* As many queues right behind @queues: the sure ones where none are named. Return: false: there are no such numbers. */
static inline bool queue_range_next(const struct queue_range *queues, struct queue_range *next)
{
	const unsigned int count = queue_range_count(queues);

	if (queues->last + count > UINT16_MAX)
		return false;
	*next = (struct queue_range){ .given = true, .first = (uint16_t)(queues->last + 1),
				      .last = (uint16_t)(queues->last + count) };
	return true;
}

#endif
