// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An expression comes to this: which bits of it are those of the connection's mark, which are those of the packet's,
 * each in its own place. All others are numbers, or come from where nobody can tell.
 */
#include "found_nft_mark.h"

#include <string.h>

#define DEPTH_MAX 8

struct origin {
	uint32_t connection;
	uint32_t packet;
};

/* Is it "ct mark", or "meta mark"? */
static bool is_mark(const json_t *expression, const char *kind)
{
	const char *key = json_string_value(json_object_get(json_object_get(expression, kind), "key"));

	return key && strcmp(key, "mark") == 0;
}

static struct origin origin_of(const json_t *expression, unsigned int depth);

/* Two operands: those bits of one stay as they are where the other is a number that lets them. */
static struct origin origin_of_two(const json_t *operands, bool is_and, unsigned int depth)
{
	struct origin origin = { 0 };
	uint32_t kept = UINT32_MAX;

	for (size_t i = 0; i < json_array_size(operands); i++) {
		const json_t *operand = json_array_get(operands, i);
		const struct origin one = origin_of(operand, depth + 1);
		const uint32_t number = (uint32_t)json_integer_value(operand);

		origin.connection |= one.connection;
		origin.packet |= one.packet;
		if (json_is_integer(operand))
			kept &= is_and ? number : ~number;
	}
	return (struct origin){ origin.connection & kept, origin.packet & kept };
}

static struct origin origin_of(const json_t *expression, unsigned int depth)
{
	static const char *const operators[] = { "&", "|", "^" };

	if (is_mark(expression, "ct"))
		return (struct origin){ .connection = UINT32_MAX };
	if (is_mark(expression, "meta"))
		return (struct origin){ .packet = UINT32_MAX };
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]) && depth < DEPTH_MAX; i++) {
		const json_t *operands = json_object_get(expression, operators[i]);

		if (operands)
			return origin_of_two(operands, i == 0, depth);
	}
	return (struct origin){ 0 };
}

void found_nft_mark_key(struct found_marks *marks, const json_t *key)
{
	const json_t *parts = json_object_get(key, "concat");
	const struct origin origin = origin_of(key, 0);

	marks->connection_asked |= origin.connection;
	marks->packet_asked |= origin.packet;
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const struct origin part = origin_of(json_array_get(parts, i), 0);

		marks->connection_asked |= part.connection;
		marks->packet_asked |= part.packet;
	}
}

/*
 * The bits that a match looks at, and, in *@value, what they must be. Where a mask's bits are the highest, nft writes the two as it does a
 * network: `ct mark & 0xc0000000 == 0x80000000' is listed as `ct mark 0x80000000/2'.
 */
static uint32_t compared(const json_t *right, uint32_t *value)
{
	const json_t *prefix = json_object_get(right, "prefix");
	const json_int_t length = json_integer_value(json_object_get(prefix, "len"));

	*value = (uint32_t)json_integer_value(prefix ? json_object_get(prefix, "addr") : right);
	return prefix && length > 0 && length < 32 ? ~(UINT32_MAX >> length) : UINT32_MAX;
}

bool found_nft_mark_match(struct found_marks *marks, const json_t *match)
{
	const char *comparison = json_string_value(json_object_get(match, "op"));
	struct found_marks asked = { 0 };
	uint32_t value;
	const uint32_t mask = compared(json_object_get(match, "right"), &value);

	found_nft_mark_key(&asked, json_object_get(match, "left"));
	marks->connection_asked |= asked.connection_asked & mask;
	marks->packet_asked |= asked.packet_asked & mask;
	if (!asked.connection_asked)
		return false;
	marks->connection_value = value;
	return comparison && strcmp(comparison, "!=") != 0;
}

bool found_nft_mark_set(struct found_marks *marks, const json_t *mangle)
{
	const json_t *key = json_object_get(mangle, "key"), *value = json_object_get(mangle, "value");
	const struct origin origin = origin_of(value, 0);

	found_nft_mark_key(marks, json_object_get(json_object_get(value, "map"), "key"));
	if (is_mark(key, "ct")) {
		marks->connection_set |= ~origin.connection;
	} else if (is_mark(key, "meta")) {
		marks->packet_set |= ~origin.packet;
		marks->restored |= origin.connection;
	} else {
		return false;
	}
	return true;
}
