/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * direction - which way of a connection, and so whose bytes these are. Its values are conntrack's own (enum ip_conntrack_dir), and
 * index whatever there is two of. Shared with the module.
 */
#ifndef CORE_WIRE_DIRECTION_H
#define CORE_WIRE_DIRECTION_H

enum direction {
	DIRECTION_ORIGINAL, /* client to server: its lines are commands */
	DIRECTION_REPLY,    /* server to client: its lines are replies */
};

static inline enum direction direction_other(enum direction direction)
{
	return direction == DIRECTION_ORIGINAL ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
}

#endif
