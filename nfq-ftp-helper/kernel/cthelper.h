/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cthelper - conntrack helpers that live in user space: which there are, and ours among them.
 *
 * A helper is the whole machine's, not a network namespace's; the queue it names is looked up in the packet's namespace.
 */
#ifndef KERNEL_CTHELPER_H
#define KERNEL_CTHELPER_H

#include "exchange.h"

#define CTHELPER_NAME "nfq-ftp"

struct cthelper {
	char name[CONNECTION_HELPER_MAX];
	bool enabled; /* it queues packets; otherwise it is a stub, which only carries expectations */
	uint16_t queue;
};

/* What conntrack allows the expectations of one connection. */
struct cthelper_policy {
	uint32_t expectations; /* open at once, 255 at most */
	uint32_t seconds;      /* until an unused one lapses */
};

/**
 * cthelper_register - "nfq-ftp" for TCP over IPv4 and IPv6, made or, where it is there already, brought up to date
 * @exchange: as opened
 * @queue: where its packets go
 * @policy: of its expectations
 *
 * It outlives this process. From now on it is enabled: with nobody on the queue its packets pass the queue by, and
 * with it the end of conntrack's work on them, so that its connections break; see cthelper_disable().
 *
 * Return: 0; -EPERM: no CAP_NET_ADMIN; -EPROTONOSUPPORT: the kernel has no nfnetlink_cthelper; -EEXIST: a kernel module
 * has this name; -EBUSY: another program's helper, of another kind, has it; another negative errno.
 */
int cthelper_register(struct exchange *exchange, uint16_t queue, const struct cthelper_policy *policy);

/*
 * Make a stub of it where it is not there: rules can name it from now on. That it is there is no error.
 * Return: 0, or as above.
 */
int cthelper_prepare(struct exchange *exchange, const struct cthelper_policy *policy);

/* Make a stub of it: its packets pass as if accepted. Return: 0, -ENOENT: it is not there, or as above. */
int cthelper_disable(struct exchange *exchange);

/*
 * Take it away, where nobody is seen to use it. Return: 0; -EBUSY: a rule or a connection uses it, or may; -ENOENT: it is not there; or as
 * above.
 */
int cthelper_unregister(struct exchange *exchange);

/**
 * cthelper_find - look for one among all TCP helpers of user space, those that are a module's included
 * @exchange: as opened
 * @name: its name
 * @helper: filled in; its name is "" where there is none
 *
 * Return: 0, also where there is none, or a negative errno as above.
 */
int cthelper_find(struct exchange *exchange, const char *name, struct cthelper *helper);

#endif
