/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports - control ports, as options name them: "21,2121".
 */
#ifndef HOST_PORTS_H
#define HOST_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define PORTS_FTP 21 /* where nothing is said */
#define PORTS_MAX 15 /* what iptables' multiport takes */

struct ports {
	bool given; /* by somebody; else they are what holds where nothing is said */
	unsigned int count;
	uint16_t port[PORTS_MAX];
};

/* FTP's own, and nothing else. */
#define PORTS_DEFAULT                                                                                                  \
	{                                                                                                              \
		.count = 1, .port = { PORTS_FTP }                                                                      \
	}

/* The port that @list begins with. Return: the rest of @list, "" behind the last; NULL: it is no list of ports. */
const char *ports_next(const char *list, uint16_t *port);

/* A whole list, into @ports. Return: whether it is one, of PORTS_MAX at most. */
bool ports_parse(const char *list, struct ports *ports);

bool ports_have(const struct ports *ports, uint16_t port);

/* One more, where there is room for it, and it is not among them. */
void ports_add(struct ports *ports, uint16_t port);

#define PORTS_TEXT_MAX (6 * PORTS_MAX + 1)

/* "21,2121": as options have it. Return: @text. */
const char *ports_text(const struct ports *ports, char text[PORTS_TEXT_MAX]);

#endif
