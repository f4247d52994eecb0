/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptables - the rules as chains of iptables and ip6tables, all of whose names begin with NFQ_FTP_.
 */
#ifndef RULESET_IPTABLES_H
#define RULESET_IPTABLES_H

#include "request.h"

#define IPTABLES_PREFIX "NFQ_FTP_"

/* Write both families' rules as iptables-restore --noflush takes them, as if none of them were there. */
void iptables_write(const struct ruleset_request *request, FILE *out);

/**
 * iptables_apply - put the chains in place, and one jump to each
 * @request: what they are to hold
 *
 * What fails is said on standard error, in one sentence; then everything is as it was.
 *
 * Return: 0 or a negative errno.
 */
int iptables_apply(const struct ruleset_request *request);

/**
 * iptables_remove - take the chains away
 *
 * Tables and base chains that iptables had to make for them go, too, unless somebody uses them now.
 *
 * Return: 0, also where there was nothing; a negative errno when it failed, which has been said.
 */
int iptables_remove(void);

#endif
