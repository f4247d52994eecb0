/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine - what this machine offers, so far as `rules' must know: which mode and backend suit it.
 */
#ifndef RULESET_MACHINE_H
#define RULESET_MACHINE_H

#include "request.h"

#define RULES_MODULE_PARAMETERS "/sys/module/nf_conntrack_nfqftp/parameters/"

/* kmod where its module is loaded; cthelper where the kernel can, for one queue and no sure one; else queue. */
enum mode machine_mode(const struct ruleset_request *request);

/* nft where it is installed and the kernel would take these rules from it, or may not be asked; else iptables. */
enum ruleset_backend machine_backend(const struct ruleset_request *request);

/* Is there this backend's program? */
bool machine_has(enum ruleset_backend backend);

/*
 * Can the kernel register helpers of user space (nfnetlink_cthelper)?
 * Return: 0; -EPERM: no CAP_NET_ADMIN; another negative errno: it cannot.
 */
int machine_cthelper(void);

/* Make the kernel know a helper "nfq-ftp", so that rules can name it before the daemon runs. Return: as cthelper_prepare(). */
int machine_register(void);

/* The number that a file of /proc/sys holds; -1: there is no such file, or no number in it. */
int machine_number(const char *path);

/* Is our kernel module loaded? */
bool machine_kmod(void);

#endif
