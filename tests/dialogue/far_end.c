// SPDX-License-Identifier: GPL-2.0-or-later
#include "far_end.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_ROOM 1024
#define NUMBERS	  24

/* Numbers with commas between, blanks allowed, from the first digit on. Return how many. */
static unsigned int numbers_of(const char *text, unsigned int numbers[NUMBERS])
{
	unsigned int count = 0;

	while (*text && !isdigit((unsigned char)*text))
		text++;
	while (isdigit((unsigned char)*text) && count < NUMBERS) {
		char *end;

		numbers[count++] = (unsigned int)strtoul(text, &end, 10);
		text = end;
		while (*text == ' ')
			text++;
		if (*text != ',')
			break;
		text++;
		while (*text == ' ')
			text++;
	}
	return count;
}

static bool read_six(const char *text, struct endpoint *endpoint)
{
	unsigned int numbers[NUMBERS];

	if (numbers_of(text, numbers) != 6)
		return false;
	endpoint->family = FAMILY_IPV4;
	for (unsigned int i = 0; i < 4; i++)
		endpoint->address[i] = (uint8_t)numbers[i];
	endpoint->port = (uint16_t)(numbers[4] << 8 | numbers[5]);
	return true;
}

static bool read_long(const char *text, struct endpoint *endpoint)
{
	unsigned int numbers[NUMBERS];
	const unsigned int count = numbers_of(text, numbers);

	if (count < 9 || (numbers[1] != 4 && numbers[1] != 16) || count != numbers[1] + 5)
		return false;
	endpoint->family = numbers[1] == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
	for (unsigned int i = 0; i < numbers[1]; i++)
		endpoint->address[i] = (uint8_t)numbers[2 + i];
	endpoint->port = (uint16_t)(numbers[count - 2] << 8 | numbers[count - 1]);
	return true;
}

/* |1|address|port| */
static bool read_extended(const char *text, struct endpoint *endpoint)
{
	char copy[LINE_ROOM], delimiter[2] = { text[0] }, *rest = copy, *protocol, *address, *port;
	uint8_t whole[16];

	snprintf(copy, sizeof(copy), "%s", text + 1);
	protocol = strsep(&rest, delimiter);
	address = strsep(&rest, delimiter);
	port = strsep(&rest, delimiter);
	if (!protocol || !address || !port)
		return false;
	endpoint->port = (uint16_t)strtoul(port, NULL, 10);
	endpoint->family = FAMILY_IPV4;
	if (inet_pton(AF_INET, address, endpoint->address) == 1)
		return true;
	if (inet_pton(AF_INET6, address, whole) != 1)
		return false;
	endpoint->family = memcmp(whole, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	memcpy(endpoint->address, endpoint->family == FAMILY_IPV4 ? whole + 12 : whole,
	       endpoint->family == FAMILY_IPV4 ? 4 : 16);
	return true;
}

/* The last number behind the first bar. */
static bool read_port_only(const char *text, struct endpoint *endpoint)
{
	const char *at = strpbrk(text, "|!"), *end;

	if (!at)
		return false;
	end = at + strlen(at);
	while (end > at && !isdigit((unsigned char)end[-1]))
		end--;
	while (end > at && isdigit((unsigned char)end[-1]))
		end--;
	endpoint->port = (uint16_t)strtoul(end, NULL, 10);
	return endpoint->port != 0;
}

static bool read_line(const char *line, enum side speaker, struct endpoint *endpoint)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (speaker == SERVER && strncmp(line, "227", 3) == 0)
		return read_six(line + 3, endpoint);
	if (speaker == SERVER && strncmp(line, "228", 3) == 0)
		return read_long(line + 3, endpoint);
	if (speaker == SERVER && strncmp(line, "229", 3) == 0)
		return read_port_only(line + 3, endpoint);
	if (speaker == CLIENT && strncasecmp(line, "PORT ", 5) == 0)
		return read_six(line + 5, endpoint);
	if (speaker == CLIENT && strncasecmp(line, "LPRT ", 5) == 0)
		return read_long(line + 5, endpoint);
	return speaker == CLIENT && strncasecmp(line, "EPRT ", 5) == 0 && read_extended(line + 5, endpoint);
}

/* Telnet's bytes and NULs are no part of a line. */
static void clean(const uint8_t *from, uint32_t length, char line[LINE_ROOM])
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < length && at + 1 < LINE_ROOM; i++) {
		if (from[i] == 0xff)
			i += i + 1 < length && from[i + 1] >= 0xfb && from[i + 1] != 0xff ? 2 : 1;
		else if (from[i] != '\0' && from[i] != '\r' && (at || from[i] < 0xf0)) /* whose IAC was urgent data */
			line[at++] = (char)from[i];
	}
	line[at] = '\0';
}

/* Bytes of a PROXY header of version 2, which is no line; 0: there is none. */
static uint32_t proxy_header(const uint8_t *bytes, uint32_t length)
{
	if (length < 16 || memcmp(bytes, "\r\n\r\n\0\r\nQUIT\n", 12) != 0)
		return 0;
	return 16 + ((uint32_t)bytes[14] << 8 | bytes[15]);
}

bool far_end_read(const uint8_t *bytes, uint32_t length, enum side speaker, struct endpoint *endpoint)
{
	struct endpoint found;
	char line[LINE_ROOM] = "";
	uint32_t start = proxy_header(bytes, length);
	bool any = false;

	for (uint32_t i = start; i < length; i++) {
		if (bytes[i] != '\n')
			continue;
		clean(bytes + start, i - start, line);
		start = i + 1;
		if (!read_line(line, speaker, &found))
			continue;
		*endpoint = found;
		any = true;
	}
	return any;
}
