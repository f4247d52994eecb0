/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target - what iptables calls a target, as the kernel has it, be it of nf_tables or its own: NFQUEUE, and CT with a helper.
 */
#ifndef WATCH_TARGET_H
#define WATCH_TARGET_H

#include "standing.h"

/* @info: of @length bytes, whatever its alignment. Return: bits of enum standing_kind. */
unsigned int target_read(const struct sought *sought, const char *name, unsigned int revision, const void *info,
			 size_t length);

#endif
