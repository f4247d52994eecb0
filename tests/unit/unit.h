/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit - what every unit program includes: cmocka with what it needs before it, and a small generator of numbers that
 * is the same in every run.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* xorshift64*: 32 bits. */
static inline uint32_t unit_random(void)
{
	static uint64_t state = 0x853c49e6748fea9bu;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}

/* 0 to n - 1 */
static inline uint32_t unit_pick(uint32_t n)
{
	return unit_random() % n;
}

static inline void unit_fill(void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = (uint8_t)unit_random();
}

#endif
