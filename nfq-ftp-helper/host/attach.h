/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach - how this program is attached to the kernel: what `run' and `rules' must agree on.
 */
#ifndef HOST_ATTACH_H
#define HOST_ATTACH_H

#include "kernel/ctnetlink.h"
#include "queue_range.h"

/* Who queues packets for this program. */
enum mode {
	MODE_AUTO,     /* what attach_choose() finds */
	MODE_QUEUE,    /* NFQUEUE rules */
	MODE_CTHELPER, /* the conntrack helper that this program registers (kernel/cthelper.h) */
	MODE_KMOD,     /* the one of the module nf_conntrack_nfqftp (host/module.h) */
	MODES,
};

/* "cthelper": for people, and for options; behind the last NULL. */
extern const char *const mode_names[MODES + 1];

/* On the connmark where nothing else is said and nobody else uses it (ruleset/marks.h), the module's, too: FTP is port 21, so bit 21. */
#define ATTACH_MARK (1u << 21)

/* And the label, likewise: the highest ones are hardly used. */
#define ATTACH_LABEL 127

/* Mode queue: the kernel's helper that carries expectations, where none is named. */
#define ATTACH_CARRIER "sane"

struct attach {
	enum mode mode;
	struct queue_range queues;
	struct queue_range sure_queues; /* as many others, where given: for connections that carry the mark */
	uint32_t mark;
	uint32_t mark_mask; /* 0: it is still to be chosen */
	bool labels;	    /* mode queue: a label instead, where a connection has room for one */
	uint8_t label;	    /* that one */
	enum seqadj_mode seqadj;
};

/* What holds where nothing is said. */
extern const struct attach attach_default;

/* By enum seqadj_mode, "kernel": for people, and for options; behind the last NULL. */
#define ATTACH_SEQADJ_MODES 3
extern const char *const attach_seqadj_names[ATTACH_SEQADJ_MODES + 1];

#define ATTACH_ADJUSTED_BY_SELF "self"

/* What a session's is called whose numbers nobody adjusts, and replay's that leaves that to a kernel. */
#define ATTACH_ADJUSTED_BY_NONE "none"

/*
 * The mode, where none is said: queue for labels; kmod where its module is loaded; cthelper where the kernel can, for one queue
 * and no sure one (only rules use that); else queue.
 */
void attach_choose(struct attach *attach);

/* Sure queues, where the mode uses them and none are named: the next ones. Return: false: there are no such numbers. */
bool attach_settle(struct attach *attach);

/* The module's queues and mark are the ones. Return: 0; -ENOENT: it is not loaded; another negative errno. */
int attach_adopt_module(struct attach *attach);

#define ATTACH_COMPLAINT_MAX 128

/* Does it all go together? Return: NULL, or @text: why not, a sentence in terms of the options. */
const char *attach_complaint(const struct attach *attach, char text[ATTACH_COMPLAINT_MAX]);

#endif
