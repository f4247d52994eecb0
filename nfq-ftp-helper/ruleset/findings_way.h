/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings_way - what happens to a control connection's packets before they come to us.
 */
#ifndef RULESET_FINDINGS_WAY_H
#define RULESET_FINDINGS_WAY_H

#include "finding.h"

/* What a rule does to them; and, when all have been looked at, what all of them come to. */
void findings_way_rule(struct findings *findings, const struct found *found, const struct found_rule *rule);
void findings_way_end(struct findings *findings, const struct found *found);

/* Is there a rule that does, or leads to, @verdict for this very port? */
bool findings_way_serves(const struct found *found, enum found_verdict verdict, uint16_t port);

/* Is this assignment of a helper one that has an effect? What is wrong with it is noted. */
bool findings_way_assigns(struct findings *findings, const struct found *found, const struct found_rule *rule);

#endif
