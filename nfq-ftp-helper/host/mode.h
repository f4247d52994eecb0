/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mode - who queues packets for this program.
 */
#ifndef HOST_MODE_H
#define HOST_MODE_H

enum mode {
	MODE_AUTO,     /* what attach_choose() finds */
	MODE_QUEUE,    /* NFQUEUE rules */
	MODE_CTHELPER, /* the conntrack helper that this program registers (kernel/cthelper.h) */
	MODE_KMOD,     /* the one of the module nf_conntrack_nfqftp (host/module.h) */
	MODES,
};

/* "cthelper": for people, and for options; behind the last NULL. */
extern const char *const mode_names[MODES + 1];

#endif
