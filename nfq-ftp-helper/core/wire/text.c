// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

bool text_take_number(struct text_cursor *cursor, unsigned int digits, uint32_t max, uint32_t *number)
{
	const char *at = cursor->at, *const end = cursor->end;
	uint32_t value = 0;
	bool taken;

	for (; at != end && bytes_is_digit((uint8_t)*at); at++) {
		if (digits-- == 0)
			return false;
		value = value * 10 + (uint32_t)(*at - '0');
	}
	*number = value;
	taken = at != cursor->at && value <= max;
	cursor->at = at;
	return taken;
}

void text_put_number(struct text_writer *writer, uint32_t number)
{
	const ptrdiff_t digits = number < 10 ? 1 : number < 100 ? 2 : number < 1000 ? 3 : number < 10000 ? 4 : 5;
	char *at;

	if (writer->end - writer->at < digits) {
		writer->overflow = true;
		return;
	}
	at = writer->at += digits;
	for (; number >= 10; number /= 100) { /* two at a time */
		*--at = (char)('0' + number % 100 % 10);
		*--at = (char)('0' + number % 100 / 10);
	}
	if (digits & 1)
		*--at = (char)('0' + number);
}

bool text_take_ipv4(struct text_cursor *cursor, uint8_t address[4])
{
	for (size_t i = 0; i < 4; i++) {
		uint32_t value;

		if ((i && !text_take(cursor, '.')) || !text_take_number(cursor, 3, 255, &value))
			return false;
		address[i] = (uint8_t)value;
	}
	return true;
}

static int hex_value(char c)
{
	if (bytes_is_digit((uint8_t)c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex_group(struct text_cursor *cursor, uint8_t group[2])
{
	const char *start = cursor->at;
	unsigned int value = 0;

	while (cursor->at != cursor->end && cursor->at - start < 4 && hex_value(*cursor->at) >= 0)
		value = value << 4 | (unsigned int)hex_value(*cursor->at++);
	if (cursor->at == start || (cursor->at != cursor->end && hex_value(*cursor->at) >= 0))
		return false;
	group[0] = (uint8_t)(value >> 8);
	group[1] = (uint8_t)value;
	return true;
}

/* Does an IPv4 address, the last 32 bits of some IPv6 texts, stand here? */
static bool dotted_here(const struct text_cursor *cursor)
{
	const char *at = cursor->at;

	while (at != cursor->end && bytes_is_digit((uint8_t)*at))
		at++;
	return at != cursor->at && at != cursor->end && *at == '.';
}

bool text_take_ipv6(struct text_cursor *cursor, uint8_t address[16])
{
	uint8_t bytes[16];
	size_t filled = 0, gap = 0;
	bool has_gap = false;

	if (text_take(cursor, ':')) {
		if (!text_take(cursor, ':'))
			return false;
		has_gap = true;
	}
	while (filled < 16 && cursor->at != cursor->end && hex_value(*cursor->at) >= 0) {
		if (dotted_here(cursor)) {
			if (filled > 12 || !text_take_ipv4(cursor, bytes + filled))
				return false;
			filled += 4;
			break;
		}
		if (!take_hex_group(cursor, bytes + filled))
			return false;
		filled += 2;
		if (filled == 16 || !text_take(cursor, ':'))
			break;
		if (text_take(cursor, ':')) {
			if (has_gap)
				return false;
			has_gap = true;
			gap = filled;
		} else if (cursor->at == cursor->end || hex_value(*cursor->at) < 0) {
			return false; /* a single colon at the end */
		}
	}
	if (has_gap ? filled == 16 : filled != 16)
		return false;
	memset(address, 0, 16);
	memcpy(address, bytes, gap);
	memcpy(address + 16 - (filled - gap), bytes + gap, filled - gap);
	return true;
}

void text_put_ipv6(struct text_writer *writer, const uint8_t address[16])
{
	static const char hex[] = "0123456789abcdef";
	size_t best = 8, best_length = 1, run = 0;

	for (size_t i = 0; i < 8; i++) {
		run = address[2 * i] || address[2 * i + 1] ? 0 : run + 1;
		if (run > best_length) {
			best_length = run;
			best = i + 1 - run;
		}
	}
	for (size_t i = 0; i < 8; i++) {
		unsigned int group = (unsigned int)(address[2 * i] << 8 | address[2 * i + 1]);
		int shift = 12;

		if (i == best) {
			text_put(writer, ':');
			text_put(writer, ':');
			i += best_length - 1;
			continue;
		}
		if (i && i != best + best_length)
			text_put(writer, ':');
		while (shift && !(group >> shift))
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			text_put(writer, hex[group >> shift & 15]);
	}
}

void text_put_ipv4(struct text_writer *writer, const uint8_t address[4])
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i)
			text_put(writer, '.');
		text_put_number(writer, address[i]);
	}
}
