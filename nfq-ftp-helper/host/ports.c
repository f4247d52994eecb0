// SPDX-License-Identifier: GPL-2.0-or-later
#include "ports.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

const char *ports_next(const char *list, uint16_t *port)
{
	char *end;
	const unsigned long number = isdigit((unsigned char)*list) ? strtoul(list, &end, 10) : 0;

	/* A comma is followed by another port. */
	if (number == 0 || number > UINT16_MAX || (*end && *end != ',') || (*end && !end[1]))
		return NULL;
	*port = (uint16_t)number;
	return *end ? end + 1 : end;
}

bool ports_parse(const char *list, struct ports *ports)
{
	ports->given = true;
	ports->count = 0;
	do {
		if (ports->count == PORTS_MAX)
			return false;
		list = ports_next(list, &ports->port[ports->count++]);
	} while (list && *list);
	return list != NULL;
}

bool ports_have(const struct ports *ports, uint16_t port)
{
	for (unsigned int i = 0; i < ports->count; i++) {
		if (ports->port[i] == port)
			return true;
	}
	return false;
}

void ports_add(struct ports *ports, uint16_t port)
{
	if (ports->count < PORTS_MAX && !ports_have(ports, port))
		ports->port[ports->count++] = port;
}

const char *ports_text(const struct ports *ports, char text[PORTS_TEXT_MAX])
{
	int length = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < ports->count; i++)
		length += snprintf(text + length, (size_t)(PORTS_TEXT_MAX - length), "%s%u", i ? "," : "",
				   ports->port[i]);
	return text;
}
