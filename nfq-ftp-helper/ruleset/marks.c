// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. A connection's mark may be copied to its packets, and packets are routed by theirs. So a bit of ours does harm
 * where a rule asks for it in the connection's mark, or writes it after the connection's first packet; and where one
 * copies it to packets, and another, or an `ip rule', asks for it there. Who names no mask asks for all bits, of which
 * there may be many on one machine that never meet: WireGuard's `ip rule' does, and copies nothing to TCP packets.
 *
 * So there are two sets: the bits that anybody claims for whatever purpose, which are avoided where possible, and those in which ours would
 * do harm.
 */
#include "marks.h"

#include "backends.h"
#include "found_read.h"

#include <stdio.h>

/* Does it ask for our mark: a rule of ours, or one that sends marked control connections to a queue? */
static bool is_own_use(const struct found_rule *rule)
{
	if (!rule->marked && !rule->labelled)
		return false;
	return backends_own(rule->chain) || (rule->queues.given && found_asks_for_ports(rule) && rule->chain->roots);
}

/* Is it somebody's whose rules our packets come to? */
static bool is_others(const struct found_rule *rule)
{
	return !rule->foreign && rule->chain->roots && !backends_own(rule->chain) && !is_own_use(rule);
}

/* What is written before a connection can have our mark takes nothing away, nor what is written to data connections. */
static uint32_t overwritten(const struct found_rule *rule)
{
	return rule->states == FOUND_STATE_NEW || rule->expected ? 0 : rule->marks.connection_set;
}

/* Who means all bits claims none of them. */
static uint32_t claimed(uint32_t bits)
{
	return bits == UINT32_MAX ? 0 : bits;
}

static void look_at_others(struct marks *marks, const struct found_rule *rule)
{
	const struct found_marks *seen = &rule->marks;

	marks->used |= claimed(seen->connection_set) | claimed(seen->packet_set) | claimed(seen->restored) |
		       seen->connection_asked | seen->packet_asked;
	marks->harmful |= seen->connection_asked | overwritten(rule);
	marks->restored |= seen->restored;
	if (rule->labelled)
		marks->labels_used[rule->label / 64 % 2] |= 1ull << rule->label % 64;
}

static void look_at_own_marks(struct marks *marks, const struct found_rule *rule)
{
	if (rule->marked) {
		marks->own = rule->marks.connection_value;
		marks->own_mask = rule->marks.connection_asked;
	}
	if (rule->labelled) {
		marks->own_labelled = true;
		marks->own_label = rule->label;
	}
}

/* In the packets' mark, where it counts only what is copied there. */
static uint32_t asked_of_packets(const struct marks *marks, const struct found *found)
{
	uint32_t asked = 0;

	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (is_others(rule))
			asked |= rule->marks.packet_asked;
	}
	for (unsigned int i = 0; i < marks->route_count; i++)
		asked |= marks->routes[i].mask;
	return asked;
}

void marks_look(struct marks *marks, const struct found *found)
{
	int routes;

	*marks = (struct marks){ 0 };
	routes = route_rules_read(marks->routes, MARKS_ROUTES_MAX);
	marks->route_count = routes < 0 ? 0 : routes < MARKS_ROUTES_MAX ? (unsigned int)routes : MARKS_ROUTES_MAX;
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (is_own_use(rule))
			look_at_own_marks(marks, rule);
		else if (is_others(rule))
			look_at_others(marks, rule);
	}
	for (unsigned int i = 0; i < marks->route_count; i++)
		marks->used |= marks->routes[i].mask;
	marks->harmful |= marks->restored & asked_of_packets(marks, found);
}

static uint32_t free_of(uint32_t taken)
{
	if (!(taken & ATTACH_MARK))
		return ATTACH_MARK;
	for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
		if (!(taken & bit))
			return bit;
	}
	return 0;
}

uint32_t marks_free(const struct marks *marks, uint32_t avoid)
{
	const uint32_t unused = free_of(marks->used | marks->harmful | avoid);

	return unused ? unused : free_of(marks->harmful | avoid);
}

static uint8_t free_label(const struct marks *marks)
{
	uint8_t label = ATTACH_LABEL;

	while (label && marks->labels_used[label / 64] >> label % 64 & 1)
		label--;
	return label;
}

static void choose_label(struct attach *attach, const struct marks *marks, bool rules)
{
	if (!rules && marks->own_labelled && (attach->mode == MODE_QUEUE || attach->mode == MODE_AUTO))
		attach->labels = true;
	attach->label = marks->own_labelled ? marks->own_label : free_label(marks);
}

static void choose(struct attach *attach, const struct marks *marks, bool rules)
{
	uint32_t bit;

	if (marks->own_mask && !(rules && (marks->own_mask & marks->harmful))) {
		attach->mark = marks->own;
		attach->mark_mask = marks->own_mask;
		return;
	}
	bit = marks_free(marks, 0);
	attach->mark = attach->mark_mask = bit ? bit : ATTACH_MARK;
}

static void settle_by_module(struct attach *attach)
{
	struct attach module = { .mark = ATTACH_MARK, .mark_mask = ATTACH_MARK };

	if (attach->mark_mask)
		return;
	(void)attach_adopt_module(&module);
	attach->mark = module.mark;
	attach->mark_mask = module.mark_mask;
}

void marks_settle_by(struct attach *attach, const struct found *found, bool rules)
{
	struct marks marks;

	if (attach->mode == MODE_KMOD) {
		settle_by_module(attach);
		return;
	}
	attach->label = ATTACH_LABEL;
	if (found) {
		marks_look(&marks, found);
		choose_label(attach, &marks, rules);
		if (!attach->mark_mask)
			choose(attach, &marks, rules);
	}
	if (!attach->mark_mask)
		attach->mark = attach->mark_mask = ATTACH_MARK;
}

void marks_settle(struct attach *attach, const struct ports *ports, bool rules)
{
	struct found found = { .ports = ports };

	marks_settle_by(attach, attach->mode != MODE_KMOD && found_read(&found) == 0 ? &found : NULL, rules);
	found_free(&found);
}

/* The `ip rule' that asks for bits of @mask; NULL: none does. */
static const struct route_rule *route_of(const struct marks *marks, uint32_t mask)
{
	for (unsigned int i = 0; i < marks->route_count; i++) {
		if (marks->routes[i].mask & mask)
			return &marks->routes[i];
	}
	return NULL;
}

/* The rule of others' that asks packets for bits of @mask; NULL: none does. */
static const struct found_rule *asker_of(const struct found *found, uint32_t mask)
{
	const struct found_rule *rule = found->rules;

	while (rule && (!(rule->marks.packet_asked & mask) || !is_others(rule)))
		rule = rule->next;
	return rule;
}

static bool is_copied(const struct marks *marks, const struct found *found, const struct found_rule *rule,
		      uint32_t mask, char text[MARKS_CULPRIT_MAX])
{
	const struct route_rule *route = route_of(marks, mask & rule->marks.restored);
	const struct found_rule *asker = asker_of(found, mask & rule->marks.restored);
	char name[ROUTE_RULE_TEXT_MAX];

	if (route)
		snprintf(text, MARKS_CULPRIT_MAX, "copied to packets by `%.140s', and routed by, by `%s'", rule->text,
			 route_rule_text(route, name));
	else if (asker)
		snprintf(text, MARKS_CULPRIT_MAX, "copied to packets by `%.120s', and asked for there by `%.120s'",
			 rule->text, asker->text);
	return route || asker;
}

bool marks_culprit(const struct marks *marks, const struct found *found, uint32_t mask, char text[MARKS_CULPRIT_MAX])
{
	for (const struct found_rule *rule = found->rules; rule; rule = rule->next) {
		if (!is_others(rule))
			continue;
		if (is_copied(marks, found, rule, mask, text))
			return true;
		if (!(overwritten(rule) & mask) && !(rule->marks.connection_asked & mask))
			continue;
		snprintf(text, MARKS_CULPRIT_MAX, "%s by `%.200s'",
			 overwritten(rule) & mask ? "overwritten" : "asked for", rule->text);
		return true;
	}
	return false;
}
