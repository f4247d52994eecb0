/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rights - what a process may do, as /proc tells.
 */
#ifndef HOST_RIGHTS_H
#define HOST_RIGHTS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct rights {
	uid_t user;	       /* effective */
	uint64_t capabilities; /* effective, a bit each */
	bool no_new_privs;
	bool filtered; /* its system calls, by seccomp */
	unsigned int threads;
};

/* Those of a process. Return: 0, or a negative errno. */
int rights_of(pid_t process, struct rights *rights);

/*
 * Has this process a capability? With CAP_NET_ADMIN rules, queues and conntrack can be reached, with CAP_SYS_ADMIN a network namespace can be
 * made.
 */
bool rights_have(unsigned int capability);

#endif
