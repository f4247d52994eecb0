/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * far_end - reads announcements as the end that receives them does: leniently, and in no way as the engine does it.
 */
#ifndef DIALOGUE_FAR_END_H
#define DIALOGUE_FAR_END_H

#include "script.h"

/*
 * The last announcement in what an end has received from `speaker`. Where it names no address (229), family is 0. An IPv4-mapped address is
 * unmapped. Return whether there is one that can be read.
 */
bool far_end_read(const uint8_t *bytes, uint32_t length, enum side speaker, struct endpoint *endpoint);

#endif
