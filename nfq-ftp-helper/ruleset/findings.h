/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings - what the rules of this machine, ours and others', mean for FTP control connections.
 */
#ifndef RULESET_FINDINGS_H
#define RULESET_FINDINGS_H

#include "finding.h"
#include "host/attach.h"

/**
 * findings_look - look at all rules
 * @findings: filled in
 * @request: what was asked, as it was said
 * @asked: what rules are to be attached to, which are not there yet; NULL: the present ones are what is looked at, and say what was not asked
 *
 * Return: 0 or -ENOMEM.
 */
int findings_look(struct findings *findings, const struct request *request, const struct attach *asked);

/* The same, of rules that have been read with the ports of @request; others may be in question afterwards, which are in @findings. */
void findings_of(struct findings *findings, struct found *found, const struct request *request,
		 const struct attach *asked);

#endif
