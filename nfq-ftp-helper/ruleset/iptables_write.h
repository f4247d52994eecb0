/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iptables_write - the rules of iptables and ip6tables, as iptables-restore --noflush takes them.
 */
#ifndef RULESET_IPTABLES_WRITE_H
#define RULESET_IPTABLES_WRITE_H

#include "iptables_chains.h"
#include "request.h"

/* What leads from @state to what is wanted in it; @request matters only where something is, and may be NULL else. */
void iptables_write(const struct request *request, const struct iptables_family *family,
		    const struct iptables_state *state, FILE *out);

#endif
