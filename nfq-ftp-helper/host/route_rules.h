/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route_rules - what `ip rule' shows: the kernel is asked, not that program, which a small router lacks, or has without JSON.
 */
#ifndef HOST_ROUTE_RULES_H
#define HOST_ROUTE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A rule that looks at the packet's mark. */
struct route_rule {
	bool ipv6;
	bool negated;
	uint32_t priority;
	uint32_t mark;
	uint32_t mask;
};

/**
 * route_rules_read - all rules of both families that look at the packet's mark
 * @rules: filled in with the first @room of them
 * @room: how many fit
 *
 * Return: how many there are; a negative errno: they cannot be read.
 */
int route_rules_read(struct route_rule *rules, size_t room);

#define ROUTE_RULE_TEXT_MAX 80

/* "ip rule 5210: fwmark 0x80000/0xff0000". Return: @text. */
const char *route_rule_text(const struct route_rule *rule, char text[ROUTE_RULE_TEXT_MAX]);

#endif
