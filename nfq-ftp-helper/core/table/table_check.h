/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table_check - may a session that was found in a file be used? Everything in it that cannot be derived is checked against its
 * range, so that nothing that comes later need ask. Internal to core.
 */
#ifndef CORE_TABLE_CHECK_H
#define CORE_TABLE_CHECK_H

#include "table.h"

/* @work: its work slot, NULL where it has none. Neither is where it would be in a table: what refers to slots is not looked at. */
bool table_check(const struct session *session, const struct work *work);

/* The same of a handshake under way. */
bool table_check_embryo(const struct embryo *embryo);

#endif
