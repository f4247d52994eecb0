/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper - the conntrack helpers of user space on this machine: whether there can be any, and ours (kernel/cthelper.h).
 */
#ifndef HOST_HELPER_H
#define HOST_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* Ours, as the kernel has it. */
struct helper {
	bool known;   /* registered, by us or by our module */
	bool enabled; /* it queues packets */
	uint16_t queue;
};

/*
 * Can the kernel register helpers of user space (nfnetlink_cthelper)?
 * Return: 0; -EPERM: no CAP_NET_ADMIN; another negative errno: it cannot.
 */
int helper_offered(void);

/* How ours is now; @helper is filled in. Return: as above. */
int helper_look(struct helper *helper);

/* Make the kernel know ours, so that rules can name it before the daemon runs. Return: as cthelper_prepare(). */
int helper_prepare(void);

#endif
