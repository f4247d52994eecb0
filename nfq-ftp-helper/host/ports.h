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

#endif
