// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text from the network: arguments in every notation, which written again read the same; and the scanner, whose
 * findings must not depend on how the text is cut.
 */
#include "core/wire/ftp.h"
#include "fuzz.h"

static void arguments(const uint8_t *data, size_t size)
{
	for (enum notation notation = NOTATION_HOST_PORT; notation <= NOTATION_LONG; notation++) {
		struct endpoint endpoint, again;
		char delimiter = 0, other, text[ENDPOINT_TEXT_MAX];
		size_t argument = 0;
		int at = endpoint_find(notation, (const char *)data, size, &endpoint, &delimiter, &argument);
		int length;

		if (at < 0)
			continue;
		MUST((size_t)at + argument <= size && argument > 0);
		length = endpoint_write(notation, &endpoint, delimiter, text, sizeof(text));
		MUST(length > 0);
		MUST(endpoint_parse(notation, text, (size_t)length, &again, &other) == length);
		MUST(other == delimiter && endpoint.port == again.port);
		MUST(notation == NOTATION_EXTENDED_PORT || endpoint_equal(&endpoint, &again));
	}
}

/* A number that stands for everything the scanner said. */
static uint32_t scan(enum direction side, unsigned int text_line, bool first, const uint8_t *data, size_t size,
		     size_t piece)
{
	struct ftp_line line = { .phase = side == DIRECTION_ORIGINAL && first ? FTP_PHASE_FIRST : FTP_PHASE_START };
	uint32_t digest = 17;
	size_t at = 0, stop = 0;

	while (at < size) {
		enum ftp_event event;
		size_t used;

		if (at == stop)
			stop = size - at < piece ? size : at + piece;
		used = ftp_scan(&line, side, text_line, data + at, stop - at, &event);
		MUST(used <= stop - at);
		at += used;
		if (event == FTP_MORE) {
			MUST(at == stop);
			continue;
		}
		digest = digest * 31 + (uint32_t)event + (uint32_t)at * 7 + ftp_code(&line) + ftp_is_web(&line);
		if (event == FTP_FOREIGN)
			return digest;
		if (event == FTP_STRANGE)
			ftp_go_on(&line);
		else if (event == FTP_ARGUMENT)
			ftp_skip_line(&line);
		else
			ftp_next_line(&line);
	}
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t how = input_byte(&input);
	enum direction side = how & 1 ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
	unsigned int text_line = side == DIRECTION_REPLY && how & 2 ? 227 : 0;
	size_t length;
	uint8_t *text = input_copy(&input, 4096, &length);
	uint32_t digest = scan(side, text_line, how & 128, text, length, SIZE_MAX);

	MUST(scan(side, text_line, how & 128, text, length, 1) == digest);
	MUST(scan(side, text_line, how & 128, text, length, 2 + how / 4) == digest);
	arguments(text, length);
	free(text);
	return 0;
}
