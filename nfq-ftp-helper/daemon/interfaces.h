/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interfaces - names of network interfaces by their index, kept up to date by the kernel (libnfnetlink's nlif).
 */
#ifndef DAEMON_INTERFACES_H
#define DAEMON_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct nlif_handle;

/* Owned by one thread. Zeroed, it knows no names but works. */
struct interfaces {
	struct nlif_handle *handle;
	bool due; /* the whole list has to be asked for: some of it was lost, or it could not be */
};

/* Without the kernel's list, interfaces are named by their number: that is no reason to fail, and it is asked for again whenever they are refreshed. */
void interfaces_open(struct interfaces *interfaces);
void interfaces_close(struct interfaces *interfaces);

/* Hear what has changed. */
void interfaces_refresh(struct interfaces *interfaces);

/* "eth0"; "-" for index 0, "if7" for an index without a name. Return: @name. */
const char *interfaces_name(const struct interfaces *interfaces, uint32_t index, char name[IF_NAMESIZE]);

#endif
