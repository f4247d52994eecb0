// SPDX-License-Identifier: GPL-2.0-or-later
#include "standing.h"

#include <stdio.h>
#include <string.h>

#define FAMILY_BITS STANDING_HOOKS
#define KIND_BITS   (STANDING_FAMILIES * FAMILY_BITS)
#define ALL_HOOKS   ((1u << STANDING_HOOKS) - 1)

_Static_assert(STANDING_KINDS *KIND_BITS <= 32, "places are bits of one number");

uint32_t standing_places(unsigned int kinds, unsigned int families, unsigned int hooks)
{
	uint32_t places = 0;

	for (unsigned int kind = 0; kind < STANDING_KINDS; kind++)
		for (unsigned int family = 0; family < STANDING_FAMILIES; family++)
			if (kinds & (1u << kind) && families & (1u << family))
				places |= (uint32_t)(hooks & ALL_HOOKS) << (kind * KIND_BITS + family * FAMILY_BITS);
	return places;
}

uint32_t standing_sought(const struct sought *sought)
{
	unsigned int kinds = 0;

	if (sought->queues.given)
		kinds |= 1u << STANDING_QUEUE;
	if (sought->sure_queues.given)
		kinds |= 1u << STANDING_SURE;
	if (sought->helper[0])
		kinds |= 1u << STANDING_HELPER;
	return standing_places(kinds, ~0u, ~0u);
}

bool standing_queues(uint32_t places)
{
	return places & standing_places(1u << STANDING_QUEUE | 1u << STANDING_SURE, ~0u, ~0u);
}

static bool meets(const struct queue_range *range, unsigned int first, unsigned int count)
{
	return range->given && first <= range->last && first + count > range->first;
}

unsigned int standing_of_queues(const struct sought *sought, unsigned int first, unsigned int count)
{
	unsigned int kinds = 0;

	if (meets(&sought->queues, first, count))
		kinds |= 1u << STANDING_QUEUE;
	if (meets(&sought->sure_queues, first, count))
		kinds |= 1u << STANDING_SURE;
	return kinds;
}

unsigned int standing_of_helper(const struct sought *sought, const char *name, size_t length)
{
	const size_t known = strlen(sought->helper), given = strnlen(name, length);

	return known && given == known && memcmp(name, sought->helper, known) == 0 ? 1u << STANDING_HELPER : 0;
}

/* ---- for people ---- */

static unsigned int hooks_of(uint32_t places, unsigned int kind, unsigned int family)
{
	return places >> (kind * KIND_BITS + family * FAMILY_BITS) & ALL_HOOKS;
}

static size_t add(char text[STANDING_TEXT_MAX], size_t at, const char *word)
{
	const int length = snprintf(text + at, STANDING_TEXT_MAX - at, "%s", word);

	return at + (size_t)length < STANDING_TEXT_MAX ? at + (size_t)length : STANDING_TEXT_MAX - 1;
}

static size_t add_hooks(char text[STANDING_TEXT_MAX], size_t at, const char *kind, unsigned int hooks,
			const char *family)
{
	static const char *const names[STANDING_HOOKS] = { "prerouting", "input", "forward", "output", "postrouting" };
	const char *between = " at ";

	at = add(text, at, at ? "; " : "");
	at = add(text, at, kind);
	for (unsigned int hook = 0; hook < STANDING_HOOKS; hook++) {
		if (!(hooks & (1u << hook)))
			continue;
		at = add(text, at, between);
		at = add(text, at, names[hook]);
		between = ", ";
	}
	return add(text, at, family);
}

const char *standing_text(uint32_t places, char text[STANDING_TEXT_MAX])
{
	static const char *const kinds[STANDING_KINDS] = { "queue", "sure queue", "helper" };
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int kind = 0; kind < STANDING_KINDS; kind++) {
		const unsigned int four = hooks_of(places, kind, STANDING_IPV4),
				   six = hooks_of(places, kind, STANDING_IPV6);

		if (four & six)
			at = add_hooks(text, at, kinds[kind], four & six, "");
		if (four & ~six)
			at = add_hooks(text, at, kinds[kind], four & ~six, " (IPv4)");
		if (six & ~four)
			at = add_hooks(text, at, kinds[kind], six & ~four, " (IPv6)");
	}
	return text;
}
